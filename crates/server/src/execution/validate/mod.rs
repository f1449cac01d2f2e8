//! From a [`Draft`] to an [`ExecutionRequest`]: every rule on values, none on types.

mod call;
mod files;
mod limits;
#[cfg(test)]
mod tests;
mod text;

use super::{Draft, ExecutionRequest, InvalidRequest, invalid::quoted};
use crate::config::{Ceilings, Config, DEFAULT_ENVIRONMENT, EnvironmentConfig};

impl Draft {
    /// Checks every value against the rules of the environment it names.
    pub fn validate(self, config: &Config) -> Result<ExecutionRequest, InvalidRequest> {
        self.validate_below(config, Ceilings::default())
    }

    /// The same for a caller with ceilings of its own.
    pub fn validate_below(
        self,
        config: &Config,
        ceilings: Ceilings,
    ) -> Result<ExecutionRequest, InvalidRequest> {
        let name = self.environment.as_deref().unwrap_or(DEFAULT_ENVIRONMENT);
        let environment = find_environment(name, config)?;
        let rules = &environment.limits.below(ceilings);
        text::check_script(&self.script, rules)?;
        let env = self.env.unwrap_or_default();
        text::check_env(&env)?;
        let output_files = self.output_files.unwrap_or_default();
        files::check_globs(&output_files)?;
        let mode = call::check(self.mode, self.input.as_deref(), self.arguments.as_deref())?;
        Ok(ExecutionRequest {
            script: self.script,
            mode,
            input: self.input,
            arguments: self.arguments,
            stdin: self.stdin.unwrap_or_default(),
            env,
            files: files::check_files(self.files.unwrap_or_default(), rules)?,
            output_files,
            limits: limits::resolve(&self.limits.unwrap_or_default(), rules)?,
            environment: name.to_owned(),
            client: super::Client::default(),
            measure: false,
        })
    }
}

fn find_environment<'a>(
    name: &str,
    config: &'a Config,
) -> Result<&'a EnvironmentConfig, InvalidRequest> {
    config.environments.get(name).ok_or_else(|| {
        let (name, known) = (quoted(name), config.environment_names());
        InvalidRequest::field(
            "environment",
            format!("no environment is named {name}; there are: {known}"),
        )
    })
}
