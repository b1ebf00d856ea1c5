/// Defines a struct for a JSON object that others extend: members without a field go to `other`, as they
/// were written, and come back when it is serialized. A `null` is taken for an absent member.
///
/// (`#[serde(flatten)]` would do for writing, and cannot read raw values.)
macro_rules! open_struct {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty = $key:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
        #[non_exhaustive]
        pub struct $name {
            $(
                $(#[$field_meta])*
                #[serde(rename = $key, skip_serializing_if = "crate::terraform::plan::open::Absent::is_absent")]
                pub $field: $type,
            )*
            /// Members that this build has no name for, as they were written.
            #[serde(flatten)]
            pub other: crate::terraform::plan::Members,
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl<'de> serde::de::Visitor<'de> for Visitor {
                    type Value = $name;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str(concat!("an object (", stringify!($name), ")"))
                    }
                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<$name, A::Error> {
                        let mut found = $name::default();
                        while let Some(key) = map.next_key::<String>()? {
                            match key.as_str() {
                                $($key => {
                                    found.$field = map.next_value::<Option<$type>>()?.unwrap_or_default();
                                })*
                                _ => {
                                    found.other.insert(key, map.next_value()?);
                                }
                            }
                        }
                        Ok(found)
                    }
                }
                deserializer.deserialize_map(Visitor)
            }
        }
    };
}
pub(crate) use open_struct;

/// Whether a member is left out when it is written: what reading an absent one gives.
pub(crate) trait Absent {
    fn is_absent(&self) -> bool;
}

impl<T: Default + PartialEq> Absent for T {
    fn is_absent(&self) -> bool {
        *self == T::default()
    }
}
