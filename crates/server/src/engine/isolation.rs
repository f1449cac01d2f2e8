//! Which layers are in force, as it is reported: a cell in which one of them had failed would not have
//! been sealed, and its environment not be ready.

use std::collections::BTreeSet;

use cellblock_sandbox::Layer;

use super::{LayerMode, LayerState, host::Host};
use crate::config::Config;

/// The layers, in the order in which they are applied.
#[derive(Debug, Clone, Default)]
pub struct Isolation {
    layers: Vec<LayerState>,
    /// The environments whose memory may become code.
    jit: BTreeSet<String>,
}

impl Isolation {
    pub(super) fn of(config: &Config, host: &Host) -> Self {
        let environments = config.environments.iter();
        let jit = environments.filter(|(_, environment)| environment.jit);
        Self {
            layers: Layer::ALL
                .into_iter()
                .map(|layer| state_of(layer, host))
                .collect(),
            jit: jit.map(|(name, _)| name.clone()).collect(),
        }
    }

    /// Of all environments together.
    pub(super) fn overall(&self) -> Vec<LayerState> {
        if self.jit.is_empty() {
            return self.layers.clone();
        }
        let names: Vec<_> = self.jit.iter().map(String::as_str).collect();
        let reason = format!(
            "off where an environment has jit = true: {}",
            names.join(", ")
        );
        self.with(LayerMode::Degraded, &reason)
    }

    /// Of the cells of this environment.
    pub(super) fn within(&self, environment: &str) -> Vec<LayerState> {
        if self.jit.contains(environment) {
            self.with(LayerMode::Off, "the environment has jit = true")
        } else {
            self.layers.clone()
        }
    }

    /// With the layer that jit takes in this state, unless it is off everywhere.
    fn with(&self, state: LayerMode, reason: &str) -> Vec<LayerState> {
        let mut layers = self.layers.clone();
        let taken = Layer::NoExecutableMemory.name();
        let on = |layer: &&mut LayerState| layer.name == taken && layer.state == LayerMode::On;
        if let Some(layer) = layers.iter_mut().find(on) {
            layer.state = state;
            layer.reason = Some(reason.to_owned());
        }
        layers
    }
}

fn state_of(layer: Layer, host: &Host) -> LayerState {
    let (state, reason) = match host.missing.get(&layer) {
        None => (LayerMode::On, None),
        Some(reason) if layer == Layer::Cgroup => {
            let instead = "memory and CPU are polled, processes limited by rlimit";
            (LayerMode::Degraded, Some(format!("{reason}; {instead}")))
        }
        Some(reason) => (LayerMode::Off, Some(reason.clone())),
    };
    let (state, reason) = match host.degraded.get(&layer) {
        Some(reason) if state == LayerMode::On => (LayerMode::Degraded, Some(reason.clone())),
        _ => (state, reason),
    };
    LayerState {
        name: layer.name().to_owned(),
        state,
        reason,
    }
}
