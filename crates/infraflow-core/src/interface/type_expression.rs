use std::{collections::BTreeMap, fmt};

/// The type constraint of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Any,
    String,
    Number,
    Bool,
    List(Box<Type>),
    Set(Box<Type>),
    Map(Box<Type>),
    Tuple(Vec<Type>),
    Object(BTreeMap<String, Attribute>),
}

/// One attribute of an object type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attribute {
    pub(super) of: Type,
    pub(super) optional: bool,
    /// The default of `optional(…, default)`, as spelt, without white space.
    pub(super) default: Option<String>,
}

/// What becomes of values of one type where another is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// Each of them is accepted.
    All,
    /// Some are refused: why, and whether it depends on the value alone.
    Refused { why: String, value_dependent: bool },
}

/// Deeper types than this are not read: nobody writes them, and hostile ones would fill the stack.
const MAX_DEPTH: usize = 64;

impl Type {
    /// Reads a type constraint; `None` for what is none, or is nested too deep.
    pub(super) fn parse(text: &str) -> Option<Self> {
        // Terraform 0.11 wrote "string", "list" and "map" in quotes, and every later version reads them.
        let text = text.trim();
        let bare = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
        let tokens = tokens(bare)?;
        let mut reader = Reader { tokens: &tokens, at: 0 };
        let read = reader.read(0)?;
        (reader.at == tokens.len()).then_some(read)
    }

    /// What becomes of the values that callers could pass for `self`, where `new` is asked for.
    pub(super) fn fits(&self, new: &Self) -> Fit {
        let refused = |value_dependent: bool, why: String| Fit::Refused { why, value_dependent };
        match (self, new) {
            (_, Self::Any) | (Self::Number | Self::Bool, Self::String) => Fit::All,
            (a, b) if a == b => Fit::All,
            (Self::Any, b) => refused(false, format!("it took anything and now takes {b} only")),
            (Self::String, Self::Number | Self::Bool) => {
                refused(true, format!("a text that is no {new} is refused"))
            }
            (Self::List(a) | Self::Set(a), Self::List(b) | Self::Set(b)) | (Self::Map(a), Self::Map(b)) => {
                a.fits(b).within("its items")
            }
            (Self::Tuple(a), Self::List(b) | Self::Set(b)) => {
                Fit::first(a.iter().map(|item| item.fits(b).within("its items")))
            }
            (Self::Tuple(a), Self::Tuple(b)) if a.len() == b.len() => {
                Fit::first(a.iter().zip(b).map(|(a, b)| a.fits(b).within("its items")))
            }
            (Self::Object(a), Self::Map(b)) => {
                Fit::first(a.iter().map(|(name, a)| a.of.fits(b).within(&format!("its attribute {name:?}"))))
            }
            (Self::Map(a), Self::Object(b)) => Fit::first(b.iter().map(|(name, b)| {
                if b.optional {
                    a.fits(&b.of).within(&format!("its attribute {name:?}"))
                } else {
                    refused(true, format!("a map without the attribute {name:?} is refused"))
                }
            })),
            (Self::Object(a), Self::Object(b)) => {
                Fit::first(b.iter().map(|(name, b)| match (a.get(name), b.optional) {
                    (None, false) => refused(false, format!("the required attribute {name:?} was added")),
                    (Some(a), false) if a.optional => {
                        refused(false, format!("the attribute {name:?} became required"))
                    }
                    (None, true) => Fit::All,
                    (Some(a), _) => a.of.fits(&b.of).within(&format!("its attribute {name:?}")),
                }))
            }
            (a, b) => refused(false, format!("{a} does not convert to {b}")),
        }
    }

    /// The attributes whose default differs, by the way to them.
    pub(super) fn changed_defaults(&self, new: &Self) -> Vec<String> {
        match (self, new) {
            (Self::Object(a), Self::Object(b)) => a
                .iter()
                .filter_map(|(name, a)| Some((name, a, b.get(name)?)))
                .flat_map(|(name, a, b)| {
                    let own = (a.default != b.default && a.optional && b.optional).then(|| name.clone());
                    let below = a.of.changed_defaults(&b.of);
                    own.into_iter().chain(below.into_iter().map(move |rest| format!("{name}.{rest}")))
                })
                .collect(),
            (Self::List(a) | Self::Set(a), Self::List(b) | Self::Set(b)) | (Self::Map(a), Self::Map(b)) => {
                a.changed_defaults(b)
            }
            _ => Vec::new(),
        }
    }
}

impl Fit {
    fn within(self, place: &str) -> Self {
        match self {
            Self::All => Self::All,
            Self::Refused { why, value_dependent } => {
                Self::Refused { why: format!("{place}: {why}"), value_dependent }
            }
        }
    }

    /// The first refusal; one that does not depend on the value wins.
    fn first(fits: impl Iterator<Item = Self>) -> Self {
        let mut found = Self::All;
        for fit in fits {
            match fit {
                Self::Refused { value_dependent: false, .. } => return fit,
                Self::Refused { .. } if found == Self::All => found = fit,
                _ => {}
            }
        }
        found
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::String => f.write_str("string"),
            Self::Number => f.write_str("number"),
            Self::Bool => f.write_str("bool"),
            Self::List(of) => write!(f, "list({of})"),
            Self::Set(of) => write!(f, "set({of})"),
            Self::Map(of) => write!(f, "map({of})"),
            Self::Tuple(_) => f.write_str("tuple"),
            Self::Object(_) => f.write_str("object"),
        }
    }
}

/// Names, strings, numbers and single characters, without white space and comments.
pub(super) fn tokens(text: &str) -> Option<Vec<&str>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if first.is_whitespace() {
            rest = &rest[first.len_utf8()..];
            continue;
        } else if first == '#' || rest.starts_with("//") {
            rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
            continue;
        } else if rest.starts_with("/*") {
            rest = &rest[rest.find("*/")? + 2..];
            continue;
        } else if first == '"' {
            string_length(rest, 0)?
        } else if first.is_alphanumeric() || first == '_' {
            rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        tokens.push(&rest[..length]);
        rest = &rest[length..];
    }
    Some(tokens)
}

/// The length of the quoted template at the start of a text, its interpolations included.
fn string_length(text: &str, depth: usize) -> Option<usize> {
    if depth > MAX_DEPTH {
        return None;
    }
    let bytes = text.as_bytes();
    let mut at = 1;
    // The braces open within each interpolation that is open.
    let mut open: Vec<usize> = Vec::new();
    while at < bytes.len() {
        match (bytes[at], open.last_mut()) {
            (b'\\', None) => at += 1,
            (b'$' | b'%', None) if bytes.get(at + 1) == Some(&b'{') && bytes[at - 1] != bytes[at] => {
                open.push(0);
                at += 1;
            }
            (b'"', None) => return Some(at + 1),
            (b'"', Some(_)) => at += string_length(&text[at..], depth + 1)? - 1,
            (b'{', Some(depth)) => *depth += 1,
            (b'}', Some(0)) => {
                open.pop();
            }
            (b'}', Some(depth)) => *depth -= 1,
            _ => {}
        }
        at += 1;
    }
    None
}

struct Reader<'a> {
    tokens: &'a [&'a str],
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.tokens.get(self.at).copied()
    }

    fn next(&mut self) -> Option<&'a str> {
        let token = self.peek()?;
        self.at += 1;
        Some(token)
    }

    fn eat(&mut self, token: &str) -> Option<()> {
        (self.next()? == token).then_some(())
    }

    fn read(&mut self, depth: usize) -> Option<Type> {
        if depth > MAX_DEPTH {
            return None;
        }
        let item = |reader: &mut Self| {
            if reader.peek() != Some("(") {
                return Some(Box::new(Type::Any));
            }
            reader.eat("(")?;
            let of = reader.read(depth + 1)?;
            reader.eat(")")?;
            Some(Box::new(of))
        };
        Some(match self.next()? {
            "any" => Type::Any,
            "string" => Type::String,
            "number" => Type::Number,
            "bool" => Type::Bool,
            "list" => Type::List(item(self)?),
            "set" => Type::Set(item(self)?),
            "map" => Type::Map(item(self)?),
            "tuple" => {
                self.eat("(")?;
                self.eat("[")?;
                let mut items = Vec::new();
                while self.peek()? != "]" {
                    items.push(self.read(depth + 1)?);
                    if self.peek()? == "," {
                        self.at += 1;
                    }
                }
                self.eat("]")?;
                self.eat(")")?;
                Type::Tuple(items)
            }
            "object" => {
                self.eat("(")?;
                self.eat("{")?;
                let mut attributes = BTreeMap::new();
                while self.peek()? != "}" {
                    let name = self.next()?.trim_matches('"').to_owned();
                    if !matches!(self.next()?, "=" | ":") {
                        return None;
                    }
                    attributes.insert(name, self.attribute(depth + 1)?);
                    if self.peek()? == "," {
                        self.at += 1;
                    }
                }
                self.eat("}")?;
                self.eat(")")?;
                Type::Object(attributes)
            }
            _ => return None,
        })
    }

    fn attribute(&mut self, depth: usize) -> Option<Attribute> {
        if self.peek()? != "optional" {
            return Some(Attribute { of: self.read(depth)?, optional: false, default: None });
        }
        self.at += 1;
        self.eat("(")?;
        let of = self.read(depth)?;
        let mut default = None;
        if self.peek()? == "," {
            self.at += 1;
            let start = self.at;
            let mut open = 0;
            while open > 0 || self.peek()? != ")" {
                match self.next()? {
                    "(" | "[" | "{" => open += 1,
                    ")" | "]" | "}" => open -= 1,
                    _ => {}
                }
            }
            default = Some(self.tokens[start..self.at].join(" ")).filter(|text| !text.is_empty());
        }
        self.eat(")")?;
        Some(Attribute { of, optional: true, default })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(text: &str) -> Type {
        Type::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    fn verdict(old: &str, new: &str) -> &'static str {
        match of(old).fits(&of(new)) {
            Fit::All => "all",
            Fit::Refused { value_dependent: true, .. } => "some",
            Fit::Refused { .. } => "refused",
        }
    }

    // Each line was run on Terraform 1.11.4, or follows from go-cty's conversion table.
    #[test]
    fn a_type_takes_what_converts_to_it() {
        for (old, new, expected) in [
            ("number", "string", "all"),
            ("bool", "string", "all"),
            ("string", "any", "all"),
            ("list(string)", "set(string)", "all"),
            ("set(number)", "list(string)", "all"),
            ("tuple([string, number])", "list(string)", "all"),
            ("object({a=string, b=number})", "object({a=string})", "all"),
            ("object({a=string})", "object({a=string, b=optional(number, 3)})", "all"),
            ("object({a=string})", "map(string)", "all"),
            ("list", "list(any)", "all"),
            ("\"list\"", "list(any)", "all"),
            ("map(string)", "object({a=optional(string)})", "all"),
            ("string", "number", "some"),
            ("list(string)", "list(bool)", "some"),
            ("map(string)", "object({a=string})", "some"),
            ("any", "string", "refused"),
            ("bool", "number", "refused"),
            ("string", "list(string)", "refused"),
            ("list(any)", "list(string)", "refused"),
            ("object({a=string})", "object({a=string, b=number})", "refused"),
            ("object({a=optional(string)})", "object({a=string})", "refused"),
            ("list(string)", "map(string)", "refused"),
            ("tuple([string])", "tuple([string, string])", "refused"),
        ] {
            assert_eq!(verdict(old, new), expected, "{old} to {new}");
        }
    }

    #[test]
    fn comments_line_ends_and_defaults_are_read_over() {
        let type_ = of(
            "object({ # a comment\n  a = optional(list(string), [\"x)\", \"${join(\",\", [])}\"])\n  \"b-c\" : number, // more\n})",
        );
        let Type::Object(attributes) = &type_ else { panic!("{type_:?}") };
        assert_eq!(attributes.keys().map(String::as_str).collect::<Vec<_>>(), ["a", "b-c"]);
        let changed = of("object({a = optional(list(string), [\"y\"]), b-c = number})");
        assert_eq!(type_.changed_defaults(&changed), ["a"]);
    }

    #[test]
    fn a_type_nested_too_deep_is_not_read() {
        let deep = format!("{}any{}", "list(".repeat(5000), ")".repeat(5000));
        assert_eq!(Type::parse(&deep), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_left(text in "[a-z(){}\\[\\]=,:\"#/*\\\\$ \n]{0,40}") {
            let _ = Type::parse(&text);
        }
    }
}
