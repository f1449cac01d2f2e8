//! The scripts that are measured.

use serde_json::{Value, json};

/// One script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Script {
    /// Its name in tables and files.
    pub name: &'static str,
    /// Its source.
    pub source: &'static str,
}

/// The one that the goals are about.
pub const IMPORTS: Script = Script {
    name: "numpy+pandas",
    source: "import numpy, pandas\n\
             def main():\n    return {\"numpy\": numpy.__name__, \"pandas\": pandas.__name__}\n",
};

/// All, in the order in which they are shown.
pub const ALL: [Script; 5] = [
    Script {
        name: "trivial",
        source: "def main():\n    return {\"message\": \"hello\"}\n",
    },
    IMPORTS,
    Script {
        name: "groupby",
        source: "import numpy as np, pandas as pd\n\
                 def main():\n    \
                     n = 1000\n    \
                     frame = pd.DataFrame({\"key\": np.arange(n) % 10, \"value\": np.arange(n) * 0.5})\n    \
                     sums = frame.groupby(\"key\")[\"value\"].agg([\"sum\", \"mean\"])\n    \
                     return sums.reset_index().to_dict(\"records\")\n",
    },
    Script {
        name: "1 MB stdout",
        source: "def main():\n    print(\"x\" * 999_999)\n",
    },
    Script {
        name: "1 MB result",
        source: "def main():\n    return \"x\" * 999_998\n",
    },
];

impl Script {
    /// The body of a request that runs it.
    pub fn body(&self) -> String {
        json!({ "script": self.source }).to_string()
    }

    /// Whether an answer is that of this script.
    pub fn is_answered_by(&self, answer: &[u8]) -> bool {
        let Ok(answer) = serde_json::from_slice::<Value>(answer) else {
            return false;
        };
        let (result, stdout) = (&answer["result"], answer["stdout"].as_str().unwrap_or(""));
        match self.name {
            "trivial" => result["message"] == "hello",
            "groupby" => result[9]["sum"] == 25200.0 && result[9]["mean"] == 252.0,
            "1 MB stdout" => stdout.len() == 1_000_000 && result.is_null(),
            "1 MB result" => result.as_str().is_some_and(|text| text.len() == 999_998),
            _ => result["pandas"] == "pandas",
        }
    }
}
