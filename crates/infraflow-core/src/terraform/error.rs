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
