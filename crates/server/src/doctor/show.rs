//! A diagnosis for a terminal.

use std::fmt::Write;

use super::{Diagnosis, State};
use crate::engine::LayerMode;

impl Diagnosis {
    /// One line per check, below it what to do where it is not ok, and a verdict at the end.
    pub fn to_text(&self) -> String {
        let width = self.checks.iter().map(|check| check.name.len()).max();
        let width = width.unwrap_or(0);
        let mut text = String::new();
        // Writing to a string does not fail.
        for check in &self.checks {
            let state = match check.state {
                State::Ok => "ok",
                State::Degraded => "degraded",
                State::Missing => "MISSING",
            };
            let _ = writeln!(text, "{state:<9} {:<width$}  {}", check.name, check.detail);
            if let Some(remedy) = &check.remedy {
                let _ = writeln!(text, "{:<9} {:<width$}  -> {remedy}", "", "");
            }
        }
        self.show_layers(&mut text);
        let verdict = if self.ready {
            "cellblock can serve on this machine."
        } else {
            "cellblock cannot serve on this machine as it is configured."
        };
        let _ = writeln!(text, "\n{verdict}");
        text
    }

    fn show_layers(&self, text: &mut String) {
        if self.isolation.is_empty() {
            return;
        }
        let on = |mode| move |layer: &&crate::engine::LayerState| layer.state == mode;
        let count = self.isolation.iter().filter(on(LayerMode::On)).count();
        let all = self.isolation.len();
        let _ = writeln!(text, "\n{count} of {all} isolation layers are on.");
        for layer in &self.isolation {
            let state = match layer.state {
                LayerMode::On => continue,
                LayerMode::Degraded => "degraded",
                LayerMode::Off => "off",
            };
            let reason = layer.reason.as_deref().unwrap_or("no reason is known");
            let _ = writeln!(text, "{state:<9} {}: {reason}", layer.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        doctor::{Diagnosis, Finding},
        engine::{LayerMode, LayerState},
    };

    fn layer(name: &str, state: LayerMode, reason: Option<&str>) -> LayerState {
        LayerState {
            name: name.to_owned(),
            state,
            reason: reason.map(str::to_owned),
        }
    }

    #[test]
    fn each_check_has_its_line_and_its_remedy() {
        let diagnosis = Diagnosis {
            ready: false,
            checks: vec![
                Finding::ok("nsjail", "runs"),
                Finding::missing("user namespaces", "refused", "Allow them."),
                Finding::missing("cgroups", "refused", "Be root.").or_degraded(true),
            ],
            isolation: Vec::new(),
        };
        assert_eq!(
            diagnosis.to_text(),
            "ok        nsjail           runs\n\
             MISSING   user namespaces  refused\n\
             \u{20}                          -> Allow them.\n\
             degraded  cgroups          refused\n\
             \u{20}                          -> Be root.\n\
             \ncellblock cannot serve on this machine as it is configured.\n"
        );
    }

    #[test]
    fn layers_that_are_not_on_are_named() {
        let diagnosis = Diagnosis {
            ready: true,
            checks: vec![Finding::ok("engine", "starts")],
            isolation: vec![
                layer("seccomp", LayerMode::On, None),
                layer("cgroup", LayerMode::Degraded, Some("read-only")),
            ],
        };
        assert_eq!(
            diagnosis.to_text(),
            "ok        engine  starts\n\n1 of 2 isolation layers are on.\n\
             degraded  cgroup: read-only\n\ncellblock can serve on this machine.\n"
        );
        let json = serde_json::to_value(&diagnosis).unwrap();
        assert_eq!(json["checks"][0]["state"], "ok");
        assert_eq!(json["isolation"][1]["reason"], "read-only");
    }
}
