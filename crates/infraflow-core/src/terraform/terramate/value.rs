use serde_json::Value as Json;

/// What is known of an expression's value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    /// A list, tuple or set.
    List(Vec<Value>),
    /// An object or map; of members with one name the last counts.
    Object(Vec<(String, Value)>),
    /// Nobody can tell without running Terramate.
    Unknown,
    /// Terramate fails here, since a name is not there: `tm_try` goes on, `tm_can` says no.
    Fails,
}

impl Value {
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn list(&self) -> Option<&[Value]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// Whether nothing in it is unknown.
    pub(crate) fn is_known(&self) -> bool {
        match self {
            Self::Unknown | Self::Fails => false,
            Self::List(items) => items.iter().all(Self::is_known),
            Self::Object(members) => members.iter().all(|(_, member)| member.is_known()),
            _ => true,
        }
    }

    /// How much it takes to hold it, in values; 16 bytes of a text are one.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Text(text) => 1 + text.len() / 16,
            Self::List(items) => items.iter().fold(1, |sum, item| sum.saturating_add(item.size())),
            Self::Object(members) => members
                .iter()
                .fold(1, |sum, (name, member)| sum.saturating_add(1 + name.len() / 16 + member.size())),
            _ => 1,
        }
    }

    pub(crate) fn member(&self, name: &str) -> Self {
        match self {
            Self::Object(members) => {
                let found = members.iter().rev().find(|(member, _)| member == name);
                found.map_or(Self::Fails, |(_, value)| value.clone())
            }
            Self::Fails => Self::Fails,
            _ => Self::Unknown,
        }
    }

    pub(crate) fn item(&self, index: &Self) -> Self {
        match (self, index) {
            (Self::List(items), Self::Number(at)) if *at >= 0.0 => {
                items.get(*at as usize).cloned().unwrap_or(Self::Unknown)
            }
            (Self::Object(_), Self::Text(name)) => self.member(name),
            _ => Self::Unknown,
        }
    }

    /// As a template puts it into a text.
    pub(crate) fn spelled(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Bool(value) => Some(value.to_string()),
            Self::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// Parsed JSON.
    pub(crate) fn of_json(json: Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(value),
            Json::Number(number) => number.as_f64().map_or(Self::Unknown, Self::Number),
            Json::String(text) => Self::Text(text),
            Json::Array(items) => Self::List(items.into_iter().map(Self::of_json).collect()),
            Json::Object(members) => {
                Self::Object(members.into_iter().map(|(name, value)| (name, Self::of_json(value))).collect())
            }
        }
    }
}
