//! The environments of a running engine: each is well, on its way, or degraded with a reason. A bad
//! one answers its own requests with that reason, and is tried again; the others do not notice.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::{
    sync::oneshot,
    task::JoinSet,
    time::{Instant, sleep, timeout_at},
};

use super::{
    EnvironmentHealth, EnvironmentSettings, EnvironmentState, EnvironmentStats, StartError,
    source::{Source, SourceError},
    warm::Trouble,
};
use crate::{cgroup::Groups, config::DEFAULT_ENVIRONMENT, lock::lock};

/// How long the start of a server waits for the other environments once the default is ready.
const GRACE: Duration = Duration::from_secs(30);
/// How long a degraded environment rests before it is tried again: at first, and at most.
const PAUSES: (Duration, Duration) = (Duration::from_secs(5), Duration::from_mins(5));

/// Every configured environment.
#[derive(Debug, Default)]
pub(super) struct Environments {
    by_name: BTreeMap<String, Arc<Environment>>,
    // Ended when dropped: what starts, and what is tried again.
    starting: Mutex<JoinSet<()>>,
}

/// One environment.
#[derive(Debug, Default)]
pub(super) struct Environment {
    /// Set once, when it is ready for the first time.
    source: OnceLock<Source>,
    /// Why it is not, as clients may know it.
    reason: Mutex<Option<String>>,
}

type Outcome = Result<(), SourceError>;

impl Environments {
    /// Starts all at once. The default has to come up; so has one of them where there is no default.
    /// Another that does not is degraded, and one that takes long goes on starting.
    pub(super) async fn start(
        settings: Vec<EnvironmentSettings>,
        groups: Option<&Arc<Groups>>,
    ) -> Result<Self, StartError> {
        let mut all = Self::default();
        let mut outcomes = FuturesUnordered::new();
        for settings in settings {
            let name = settings.name.clone();
            let environment = Arc::new(Environment::default());
            all.by_name.insert(name.clone(), Arc::clone(&environment));
            let (tell, told) = oneshot::channel();
            let starting = environment.keepstarting(settings, groups.cloned(), tell);
            lock(&all.starting).spawn(starting);
            outcomes.push(async { (name, told.await.unwrap_or(Ok(()))) });
        }
        let needs_default = all.by_name.contains_key(DEFAULT_ENVIRONMENT);
        let mut failure = None;
        let mut deadline = None;
        loop {
            let outcome = match deadline {
                None => outcomes.next().await,
                Some(deadline) => timeout_at(deadline, outcomes.next()).await.unwrap_or(None),
            };
            match outcome {
                Some((name, Ok(()))) if name == DEFAULT_ENVIRONMENT || !needs_default => {
                    deadline.get_or_insert_with(|| Instant::now() + GRACE);
                }
                Some((_, Ok(()))) => {}
                Some((name, Err(source))) if name == DEFAULT_ENVIRONMENT => {
                    return Err(StartError::of_environment(name, source));
                }
                Some((name, Err(source))) => {
                    failure.get_or_insert((name, source));
                }
                None => break,
            }
        }
        match (deadline, failure) {
            (None, Some((name, source))) => Err(StartError::of_environment(name, source)),
            _ => Ok(all),
        }
    }

    /// Ends all: no more cells, and no zygotes.
    pub(super) async fn end(&self) {
        let mut starting = std::mem::take(&mut *lock(&self.starting));
        starting.shutdown().await;
        for source in self.by_name.values().filter_map(|it| it.source()) {
            source.end().await;
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Environment> {
        self.by_name.get(name).map(Arc::as_ref)
    }

    pub(super) fn health(&self) -> Vec<EnvironmentHealth> {
        let all = self.by_name.iter();
        all.map(|(name, environment)| environment.health(name))
            .collect()
    }

    pub(super) fn stats(&self) -> Vec<EnvironmentStats> {
        let all = self.by_name.iter();
        all.map(|(name, environment)| match environment.source() {
            Some(source) => source.stats(name),
            None => EnvironmentStats::none(name),
        })
        .collect()
    }
}

impl Environment {
    /// Where its cells come from, once it is ready.
    pub(super) fn source(&self) -> Option<&Source> {
        self.source.get()
    }

    /// Why it is not ready, unless it merely starts.
    pub(super) fn reason(&self) -> Option<String> {
        if let Some(trouble) = self.source().and_then(Source::trouble) {
            return Some(trouble.reason);
        }
        lock(&self.reason).clone()
    }

    fn health(&self, name: &str) -> EnvironmentHealth {
        let reason = self.reason();
        let trouble = self.source().and_then(Source::trouble);
        let (state, ready, reason) = match (self.source(), trouble, reason) {
            (Some(_), None, _) => (EnvironmentState::Ready, true, None),
            (Some(_), Some(Trouble { reason, all }), _) => {
                (EnvironmentState::Degraded, !all, Some(reason))
            }
            (None, _, None) => (EnvironmentState::Starting, false, None),
            (None, _, reason) => (EnvironmentState::Degraded, false, reason),
        };
        EnvironmentHealth {
            name: name.to_owned(),
            ready,
            state,
            python: self.source().map(|source| source.python().to_owned()),
            reason,
            warnings: self.source().map(Source::warnings).unwrap_or_default(),
        }
    }

    /// Starts it, however often it takes. Tells how the first try ended.
    async fn keepstarting(
        self: Arc<Self>,
        settings: EnvironmentSettings,
        groups: Option<Arc<Groups>>,
        tell: oneshot::Sender<Outcome>,
    ) {
        let mut tell = Some(tell);
        let (mut pause, longest) = PAUSES;
        loop {
            let started = Source::start(settings.clone(), groups.clone()).await;
            let outcome = match started {
                Ok(source) => {
                    // Nobody else sets it.
                    let _ = self.source.set(source);
                    Ok(())
                }
                Err(error) => {
                    self.degrade(&settings, &error);
                    Err(error)
                }
            };
            let done = outcome.is_ok();
            if let Some(tell) = tell.take() {
                // The start may have stopped waiting.
                let _ = tell.send(outcome);
            } else if done {
                tracing::info!(
                    environment = settings.name,
                    "an environment is ready after all"
                );
            }
            if done {
                return;
            }
            sleep(pause).await;
            pause = longest.min(pause * 2);
        }
    }

    fn degrade(&self, settings: &EnvironmentSettings, error: &SourceError) {
        let name = &settings.name;
        // A server does not start without its default, and says why, or tries without namespaces.
        if name != DEFAULT_ENVIRONMENT {
            tracing::warn!(%error, environment = name, "an environment is degraded: it cannot make sandboxes");
        }
        // Without namespaces the interpreter sees paths of this machine.
        let root = settings.wall.root.to_string_lossy();
        let reason = error.for_clients().replace(&*root, "");
        *lock(&self.reason) = Some(reason);
    }
}
