//! Two `Debug` texts as trees that can be compared.
//!
//! Differences that mean nothing on the wire go away: names of structs, newtypes and `Some`
//! around a value, fields that only one side knows, and null against empty (the bytes tell those apart).

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Tree {
    Empty,
    Atom(String),
    List(Vec<Self>),
    Struct(BTreeMap<String, Self>),
}

/// What ours is called where Kafka's name would not do.
const RENAMED: [(&str, &str); 2] = [
    ("_type", "kind"),
    ("is_k_raft_controller", "is_kraft_controller"),
];

/// Fields that the other side does not show: what it does not know it keeps as bytes, and ours are
/// tagged fields of our own. That they are written alike is seen in the bytes.
const HIDDEN: [&str; 3] = [
    "unknown_tagged_fields",
    "include_deletion_marks",
    "is_marked_for_deletion",
];

/// Reads what `{:?}` has printed.
pub(super) fn tree_of(text: &str) -> Tree {
    let mut reader = Reader {
        rest: text.chars().peekable(),
    };
    let tree = reader.tree();
    assert_eq!(reader.rest.next(), None, "more than one value in {text}");
    tree
}

struct Reader<'a> {
    rest: Peekable<Chars<'a>>,
}

impl Reader<'_> {
    fn tree(&mut self) -> Tree {
        self.space();
        let word = self.word();
        match (word.as_str(), self.rest.peek().copied()) {
            (_, Some('"')) => Self::some(self.quoted()),
            (_, Some('[')) => {
                let list = self.until(']', Self::tree);
                if list.is_empty() {
                    Tree::Empty
                } else {
                    Tree::List(list)
                }
            }
            (_, Some('(')) => {
                let mut fields = self.until(')', Self::tree);
                assert_eq!(fields.len(), 1, "{word} is no newtype");
                fields.remove(0)
            }
            ("None" | "Null", _) => Tree::Empty,
            ("", Some('{')) | (_, Some(' ')) if self.opens_struct() => {
                let fields = self.until('}', Self::field).into_iter();
                Tree::Struct(
                    fields
                        .filter(|(name, _)| !HIDDEN.contains(&name.as_str()))
                        .collect(),
                )
            }
            _ => Self::some(word),
        }
    }

    fn some(text: String) -> Tree {
        if text.is_empty() {
            Tree::Empty
        } else {
            Tree::Atom(text)
        }
    }

    fn field(&mut self) -> (String, Tree) {
        let name = self.word();
        assert_eq!(self.rest.next(), Some(':'), "after field {name}");
        let renamed = RENAMED.iter().find(|(theirs, _)| *theirs == name);
        (
            renamed.map_or(name, |(_, ours)| (*ours).to_owned()),
            self.tree(),
        )
    }

    fn opens_struct(&mut self) -> bool {
        self.space();
        self.rest.peek() == Some(&'{')
    }

    fn space(&mut self) {
        while self.rest.next_if_eq(&' ').is_some() {}
    }

    /// Letters, digits, and what stands in numbers and ids.
    fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some(next) = self
            .rest
            .next_if(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
        {
            word.push(next);
        }
        word
    }

    /// A string literal without its quotes; escapes stay as they are.
    fn quoted(&mut self) -> String {
        self.rest.next();
        let mut text = String::new();
        while let Some(next) = self.rest.next() {
            match next {
                '"' => return text,
                '\\' => text.extend(['\\'].into_iter().chain(self.rest.next())),
                other => text.push(other),
            }
        }
        panic!("a string does not end");
    }

    /// Items in brackets.
    fn until<T>(&mut self, close: char, item: fn(&mut Self) -> T) -> Vec<T> {
        self.rest.next();
        let mut items = Vec::new();
        loop {
            self.space();
            if self.rest.next_if_eq(&close).is_some() {
                return items;
            }
            items.push(item(self));
            self.space();
            self.rest.next_if_eq(&',');
        }
    }
}

#[test]
fn trees_differ_where_a_value_or_a_name_differs() {
    let tree =
        tree_of(r#"A { x: Some(B(1)), y: [b"\"}", C { z: "é" }], unknown_tagged_fields: {} }"#);
    assert_eq!(tree, tree_of(r#"D { y: [b"\"}", E { z: "é" }], x: 1 }"#));
    assert_ne!(tree, tree_of(r#"D { y: [b"\"}", E { z: "é" }], x: 2 }"#));
    assert_ne!(tree, tree_of(r#"D { y: [b"\"}", E { w: "é" }], x: 1 }"#));
    assert_eq!(tree_of("None"), tree_of("[]"));
}
