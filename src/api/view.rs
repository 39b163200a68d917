//! Typed views: named accessors over a [`Value`](crate::Value), declared in one place per kind.
//!
//! A view is a borrowed newtype, `Copy`, free to make. Its field paths are data too (`FIELDS`), and a test
//! checks each of them against the schema, so that a misspelt field cannot stay.

/// Declares a view: `view! { /// docs  Pod = "v1.Pod" { node_name: str = spec.nodeName; … } }`.
///
/// Kinds of field: `str` (empty if missing), `shared` ([`Str`](crate::Str)), `int` (`Option<i64>`),
/// `bool` (false if missing), `opt_bool`, `time` (`Option<sim::Time>`), `items` (`&[Value]`), `map` (`&Map`),
/// `value` (`&Value`), `view Other` (a nested view), `views Other` (an iterator of views over a list).
#[macro_export]
macro_rules! view {
    ($($(#[$doc:meta])* $name:ident = $schema:literal { $($(#[$fdoc:meta])* $field:ident : $kind:ident $($of:ident)? = $($seg:ident).+ ;)* })*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $name<'a>(pub &'a $crate::Value);

        impl<'a> $name<'a> {
            /// The type's name in the schema.
            pub const SCHEMA: &'static str = $schema;
            /// The paths of this view's fields.
            pub const FIELDS: &'static [&'static [&'static str]] = &[$(&[$(stringify!($seg)),+]),*];

            /// `metadata` of the object; empty for types that are no objects.
            pub fn meta(self) -> $crate::meta::Meta<'a> {
                $crate::meta::Meta(self.0.get("metadata"))
            }

            $( $crate::view!(@field $(#[$fdoc])* $field, $kind $($of)?, [$(stringify!($seg)),+]); )*
        }
    )* };
    (@field $(#[$d:meta])* $f:ident, str, $p:expr) => { $(#[$d])* pub fn $f(self) -> &'a str { self.0.at(&$p).as_str().unwrap_or_default() } };
    (@field $(#[$d:meta])* $f:ident, shared, $p:expr) => { $(#[$d])* pub fn $f(self) -> $crate::Str { self.0.at(&$p).as_shared_str().cloned().unwrap_or_default() } };
    (@field $(#[$d:meta])* $f:ident, int, $p:expr) => { $(#[$d])* pub fn $f(self) -> Option<i64> { self.0.at(&$p).as_int() } };
    (@field $(#[$d:meta])* $f:ident, bool, $p:expr) => { $(#[$d])* pub fn $f(self) -> bool { self.0.at(&$p).as_bool().unwrap_or_default() } };
    (@field $(#[$d:meta])* $f:ident, opt_bool, $p:expr) => { $(#[$d])* pub fn $f(self) -> Option<bool> { self.0.at(&$p).as_bool() } };
    (@field $(#[$d:meta])* $f:ident, time, $p:expr) => { $(#[$d])* pub fn $f(self) -> Option<sim::Time> { self.0.at(&$p).as_str().and_then(sim::Time::parse_rfc3339) } };
    (@field $(#[$d:meta])* $f:ident, items, $p:expr) => { $(#[$d])* pub fn $f(self) -> &'a [$crate::Value] { self.0.at(&$p).items() } };
    (@field $(#[$d:meta])* $f:ident, map, $p:expr) => { $(#[$d])* pub fn $f(self) -> &'a $crate::Map { self.0.at(&$p).entries() } };
    (@field $(#[$d:meta])* $f:ident, value, $p:expr) => { $(#[$d])* pub fn $f(self) -> &'a $crate::Value { self.0.at(&$p) } };
    (@field $(#[$d:meta])* $f:ident, view $of:ident, $p:expr) => { $(#[$d])* pub fn $f(self) -> $of<'a> { $of(self.0.at(&$p)) } };
    (@field $(#[$d:meta])* $f:ident, views $of:ident, $p:expr) => { $(#[$d])* pub fn $f(self) -> impl ExactSizeIterator<Item = $of<'a>> + DoubleEndedIterator + Clone { self.0.at(&$p).items().iter().map($of) } };
}

#[cfg(test)]
mod tests {
    use crate::schema;

    /// The name and the fields' paths of every view.
    const VIEWS: &[(&str, &[&[&str]])] = &[
        (
            crate::apps::Deployment::SCHEMA,
            crate::apps::Deployment::FIELDS,
        ),
        (
            crate::apps::ReplicaSet::SCHEMA,
            crate::apps::ReplicaSet::FIELDS,
        ),
        (crate::core::Pod::SCHEMA, crate::core::Pod::FIELDS),
        (
            crate::core::Container::SCHEMA,
            crate::core::Container::FIELDS,
        ),
        (crate::core::Node::SCHEMA, crate::core::Node::FIELDS),
        (crate::meta::Meta::SCHEMA, crate::meta::Meta::FIELDS),
        (crate::meta::Owner::SCHEMA, crate::meta::Owner::FIELDS),
        (
            crate::meta::Condition::SCHEMA,
            crate::meta::Condition::FIELDS,
        ),
    ];

    #[test]
    fn every_field_of_every_view_is_in_the_schema() {
        let mut wrong = Vec::new();
        for entry in std::fs::read_dir(env!("CARGO_MANIFEST_DIR"))
            .expect("sources")
            .flatten()
        {
            let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
            // Declarations are the lines `Name = "schema name" {`.
            let declared = text.lines().filter_map(|line| {
                let (_, rest) = line.trim().strip_suffix("\" {")?.split_once(" = \"")?;
                Some(rest.to_owned())
            });
            let unlisted = declared.filter(|name| !VIEWS.iter().any(|(listed, _)| listed == name));
            wrong.extend(unlisted.map(|name| format!("{name} is not listed here")));
        }
        for (name, fields) in VIEWS {
            let Some(of) = schema::named(name) else {
                wrong.push(format!("no type {name}"));
                continue;
            };
            let missing = fields.iter().filter(|path| schema::at(of, path).is_none());
            wrong.extend(missing.map(|path| format!("{name} has no {}", path.join("."))));
        }
        assert_eq!(wrong, Vec::<String>::new());
    }
}
