//! The engine's own figures, read when they are asked for.

use std::{fmt, sync::Arc};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
};

use crate::engine::{Engine, EnvironmentStats};

/// Reads the engine's figures.
#[derive(Debug)]
pub(super) struct EngineCollector(pub(super) Arc<Engine>);

impl Collector for EngineCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let stats = self.0.stats();
        for (name, help, value) in [
            ("places", "Executions that may run at once", stats.places),
            ("running", "Executions that run", stats.running),
            ("waiting", "Executions that wait for a place", stats.waiting),
        ] {
            let gauge = ConstGauge::new(whole(value));
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        let environments = &stats.environments;
        by_environment(
            &mut encoder,
            ("cells_ready", "Sealed cells that wait for an execution"),
            environments,
            |environment| Some(ConstGauge::new(whole(environment.ready))),
        )?;
        by_environment(
            &mut encoder,
            (
                "zygote_restarts",
                "Zygotes that were started in place of an older one",
            ),
            environments,
            |environment| Some(ConstCounter::new(environment.zygote_restarts)),
        )?;
        by_environment(
            &mut encoder,
            (
                "refill_seconds",
                "Time from asking a zygote for a cell until it is sealed and ready",
            ),
            environments,
            |environment| environment.refill.clone(),
        )
    }
}

fn by_environment<M: EncodeMetric>(
    encoder: &mut DescriptorEncoder<'_>,
    (name, help): (&str, &str),
    environments: &[EnvironmentStats],
    metric: impl Fn(&EnvironmentStats) -> Option<M>,
) -> fmt::Result {
    let metrics = environments.iter().filter_map(|environment| {
        let metric = metric(environment)?;
        Some((environment.name.as_str(), metric))
    });
    let metrics: Vec<_> = metrics.collect();
    let Some((_, first)) = metrics.first() else {
        return Ok(());
    };
    let kind = first.metric_type();
    let mut encoder = encoder.encode_descriptor(name, help, None, kind)?;
    for (environment, metric) in &metrics {
        let labels = [("environment", *environment)];
        metric.encode(encoder.encode_family(&labels)?)?;
    }
    Ok(())
}

fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
