//! The cold engine: one nsjail and one fresh interpreter per execution, started when it is needed.
//! For the most distrustful, and the measure of what the warm engine saves.

use std::{os::fd::BorrowedFd, sync::Arc};

use cellblock_wire::control::Request;

use super::{
    settings::EnvironmentSettings,
    source::{SourceError, setup},
};
use crate::{
    cell::{self, Cell},
    cgroup::Groups,
    users::Users,
    wall::Wall,
};

/// Makes cells by making walls.
#[derive(Debug)]
pub(super) struct Cold {
    settings: EnvironmentSettings,
    groups: Option<Arc<Groups>>,
    python: String,
}

impl Cold {
    /// Makes one cell to see that it can be done, and to learn the interpreter's version.
    pub(super) async fn start(
        settings: EnvironmentSettings,
        groups: Option<Arc<Groups>>,
    ) -> Result<Self, SourceError> {
        let mut cold = Self {
            settings,
            groups,
            python: String::new(),
        };
        let (mut cell, python) = cold.make().await?;
        cell.end().await;
        cold.python = python;
        Ok(cold)
    }

    pub(super) async fn take(&self) -> Result<Cell, SourceError> {
        Ok(self.make().await?.0)
    }

    pub(super) fn python(&self) -> &str {
        &self.python
    }

    async fn make(&self) -> Result<(Cell, String), SourceError> {
        let within = self.settings.start_timeout;
        let user = self.settings.users.as_ref().map(Users::take).transpose()?;
        let mut spec = self.settings.wall.clone();
        if let Some(user) = &user {
            spec.identity.uid = user.uid();
        }
        let wall = Wall::start(&spec, setup(&self.settings)?, within).await?;
        let python = wall.ready.python.clone();
        let slot = self.groups.as_ref().map(Groups::take).transpose()?;
        let (ours, theirs) = cell::ends().map_err(cell::CellError::from)?;
        // Its interpreter becomes the cell's init.
        let init = wall.inside().map_err(cell::CellError::from)?;
        {
            let doors = slot.iter().flat_map(crate::cgroup::Slot::doors);
            let descriptors: Vec<BorrowedFd<'_>> = theirs.as_fds().chain(doors).collect();
            // Somebody waits for it.
            let request = Request::Fork {
                cell: 0,
                rehearse: false,
                uid: None,
            };
            wall.control.send(&request, &descriptors).await?;
        }
        drop(theirs);
        let mut cell =
            Cell::new(ours, init, slot, None, Arc::new(wall)).map_err(cell::CellError::from)?;
        cell.belongs_to(user);
        cell.sealed(within).await?;
        Ok((cell, python))
    }
}
