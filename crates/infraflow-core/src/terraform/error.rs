/// What can go wrong with Terraform or OpenTofu and with what they write.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TerraformError {
    /// Bytes that should be a plan's JSON are not. The parser's own message is left out, since it quotes values.
    #[error(
        "cannot read the plan: line {line}, column {column} {why}\n  help: pass what `terraform show -json PLANFILE` wrote, whole and nothing else"
    )]
    NotAPlan {
        /// The line, from 1; 0 where there is nothing at all.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong there.
        why: &'static str,
    },
    /// A plan's JSON has a format version whose meaning this build does not know.
    #[error(
        "cannot read the plan: its format_version is {found:?}, this build knows 0.x and 1.x\n  help: use an infraflow release that knows this version of the tool"
    )]
    PlanFormat {
        /// The value of `format_version`; empty where there is none.
        found: String,
    },
    /// A value in a plan's JSON nests deeper than anything Terraform writes.
    #[error(
        "cannot read the plan: {place} nests deeper than {limit} levels\n  help: this plan was not written by terraform or tofu"
    )]
    TooDeep {
        /// Where in the plan, for example a resource's address.
        place: String,
        /// The deepest nesting that is read.
        limit: usize,
    },
    /// A text does not name a tool and its version.
    #[error(
        "cannot take {text:?} for a tool and its version\n  help: write it as in `terraform 1.11.4` or `tofu 1.12.6`"
    )]
    ToolVersion {
        /// The text given.
        text: String,
    },
    /// What should be a state is not.
    #[error(
        "cannot read the state: {why}\n  help: `terraform state pull` in the unit's directory shows what the backend holds"
    )]
    State {
        /// What is wrong with it.
        why: &'static str,
    },
}

impl TerraformError {
    pub(crate) fn not_a_plan(error: &serde_json::Error) -> Self {
        let why = match error.classify() {
            serde_json::error::Category::Eof => "is where the text ends, in the middle of a value",
            serde_json::error::Category::Data => "has a value of another type than a plan has there",
            serde_json::error::Category::Syntax | serde_json::error::Category::Io => "is no JSON",
        };
        Self::NotAPlan { line: error.line(), column: error.column(), why }
    }
}
