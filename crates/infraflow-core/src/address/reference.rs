//! The part of an address that pins a version, and how it is changed.

use std::ops::Range;

use super::{AddressError, SourceAddress, SourceKind, Version, params, source::ParamSpans};

/// A replacement of some bytes of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpanEdit {
    /// The bytes that go.
    pub span: Range<usize>,
    /// What stands there afterwards.
    pub replacement: String,
}

impl SourceAddress {
    /// What pins the version in this address, its escapes resolved: the `ref` of git, the `rev` of
    /// Mercurial, the `tag` of an OCI image, the `version` of `tfr://`. `None` where nothing does, or an
    /// empty `ref=`.
    pub fn reference(&self) -> Option<String> {
        self.param(self.pin()?).map(|param| param.decoded()).filter(|value| !value.is_empty())
    }

    /// Where the reference stands in the text; what is written there may have escapes.
    pub fn reference_span(&self) -> Option<Range<usize>> {
        self.param(self.pin()?).map(|param| param.value_span).filter(|span| !span.is_empty())
    }

    /// The name of the parameter that pins the version, where this kind of address has one.
    pub fn pin(&self) -> Option<&'static str> {
        match self.kind() {
            SourceKind::Registry if self.as_str().starts_with("tfr://") => Some("version"),
            // Nothing else than git is fetched over it.
            SourceKind::Other if self.scheme() == Some("ssh") => Some("ref"),
            kind => kind.pin(),
        }
    }

    /// The address with another reference: every other byte stays.
    ///
    /// # Errors
    /// [`AddressError::NoSuchParam`] where an address of this kind has no reference.
    pub fn with_ref(&self, reference: &str) -> Result<String, AddressError> {
        let edit = self.ref_edit(reference)?;
        let mut text = self.as_str().to_owned();
        text.replace_range(edit.span, &edit.replacement);
        Ok(text)
    }

    /// The smallest edit that gives this address another reference: the value where there is one, an added
    /// parameter at the end of the query where there is none.
    ///
    /// # Errors
    /// As [`SourceAddress::with_ref`].
    pub fn ref_edit(&self, reference: &str) -> Result<SpanEdit, AddressError> {
        let Some(pin) = self.pin() else {
            return Err(AddressError::NoSuchParam {
                address: self.as_str().to_owned(),
                param: "ref",
                kind: self.kind().as_str(),
            });
        };
        let value = params::encode(reference);
        let found = self.params.iter().find(|spans| self.param_at(spans).name == pin);
        Ok(match (found, &self.query) {
            (Some(ParamSpans { value: Some(span), .. }), _) => {
                SpanEdit { span: span.clone(), replacement: value }
            }
            (Some(spans), _) => {
                SpanEdit { span: spans.piece.end..spans.piece.end, replacement: format!("={value}") }
            }
            (None, Some(query)) => {
                let glue =
                    if self.as_str()[query.clone()].is_empty() || self.as_str()[..query.end].ends_with('&') {
                        ""
                    } else {
                        "&"
                    };
                SpanEdit { span: query.end..query.end, replacement: format!("{glue}{pin}={value}") }
            }
            (None, None) => {
                let end = self.as_str().len();
                SpanEdit { span: end..end, replacement: format!("?{pin}={value}") }
            }
        })
    }

    /// Whether a `tfr://` address asks for a range of versions instead of one: an unescaped `+` reads as a
    /// space, and what is then no version is taken for a constraint.
    pub fn version_is_constraint(&self) -> bool {
        self.as_str().starts_with("tfr://")
            && self.reference().is_some_and(|version| Version::parse(&version).is_err())
    }
}

#[cfg(test)]
mod tests {
    use super::{super::AddressRules, *};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_an_edit_changes_the_ref_alone(
            text in "(git::)?(https://|ssh://|file://|tfr://|oci://|git@)?[a-z./?=&:@#%ref-]{0,30}",
            terragrunt: bool,
        ) {
            let rules = if terragrunt { AddressRules::Terragrunt } else { AddressRules::Terraform };
            if let Ok(address) = SourceAddress::parse_as(&text, rules)
                && let Ok(edited) = address.with_ref("net/v1+2")
            {
                // Some edits make an address that is then refused, for example a digest beside a tag.
                if let Ok(again) = SourceAddress::parse_as(&edited, rules) {
                    prop_assert_eq!(again.reference(), Some("net/v1+2".to_owned()));
                    prop_assert_eq!(again.url(), address.url());
                    prop_assert_eq!(again.subdir(), address.subdir());
                }
            }
        }
    }
}
