//! An item of a batch is a record or a refusal. A failed record has all that a refusal has, so that
//! it is both: any of them, not one of them.

use utoipa::{
    Modify,
    openapi::{OpenApi, RefOr, Schema, schema::AnyOf},
};

pub(super) struct Either;

impl Modify for Either {
    fn modify(&self, document: &mut OpenApi) {
        let schemas = document.components.as_mut().map(|all| &mut all.schemas);
        let Some(item) = schemas.and_then(|schemas| schemas.get_mut("BatchItem")) else {
            return;
        };
        if let RefOr::T(Schema::OneOf(one)) = item {
            let mut any = AnyOf::new();
            any.items = std::mem::take(&mut one.items);
            any.description = one.description.take();
            *item = RefOr::T(Schema::AnyOf(any));
        }
    }
}
