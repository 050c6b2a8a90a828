//! Reads `#[wire(..)]` attributes.

use syn::meta::ParseNestedMeta;
use syn::parse::ParseStream;
use syn::{Attribute, Expr, Ident, LitInt, Result, Token};

/// A range of API versions, both ends inclusive.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Versions {
    pub(crate) first: i16,
    pub(crate) last: i16,
}

impl Versions {
    pub(crate) const ALL: Self = Self {
        first: 0,
        last: i16::MAX,
    };

    pub(crate) const fn covers(self, other: Self) -> bool {
        self.first <= other.first && self.last >= other.last
    }

    /// `first..`, `first..=last` or `..=last`.
    fn parse(meta: &ParseNestedMeta<'_>) -> Result<Self> {
        let input = meta.value()?;
        let first = if input.peek(LitInt) {
            version(input)?
        } else {
            0
        };
        let last = if input.peek(Token![..=]) {
            input.parse::<Token![..=]>()?;
            version(input)?
        } else {
            input.parse::<Token![..]>()?;
            i16::MAX
        };
        if first > last {
            return Err(meta.error("the range is empty"));
        }
        Ok(Self { first, last })
    }
}

fn version(input: ParseStream<'_>) -> Result<i16> {
    input.parse::<LitInt>()?.base10_parse()
}

/// What a struct is.
#[derive(Default)]
pub(crate) enum Role {
    #[default]
    Part,
    Request(Ident),
    Response(Ident),
}

impl Role {
    pub(crate) fn parse(attributes: &[Attribute]) -> Result<Self> {
        let mut role = Self::Part;
        for attribute in attributes.iter().filter(|a| a.path().is_ident("wire")) {
            attribute.parse_nested_meta(|meta| {
                let is_request = meta.path.is_ident("request");
                if !is_request && !meta.path.is_ident("response") {
                    return Err(meta.error("expected `request(Api)` or `response(Api)`"));
                }
                let content;
                syn::parenthesized!(content in meta.input);
                let api = content.parse()?;
                role = if is_request {
                    Self::Request(api)
                } else {
                    Self::Response(api)
                };
                Ok(())
            })?;
        }
        Ok(role)
    }
}

/// What stands beside one field.
pub(crate) struct FieldAttribute {
    pub(crate) versions: Versions,
    pub(crate) nullable: Option<Versions>,
    pub(crate) default: Option<Expr>,
    pub(crate) tag: Option<u32>,
    pub(crate) is_ignorable: bool,
}

impl FieldAttribute {
    pub(crate) fn parse(attributes: &[Attribute]) -> Result<Self> {
        let mut field = Self {
            versions: Versions::ALL,
            nullable: None,
            default: None,
            tag: None,
            is_ignorable: false,
        };
        for attribute in attributes.iter().filter(|a| a.path().is_ident("wire")) {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("versions") {
                    field.versions = Versions::parse(&meta)?;
                } else if meta.path.is_ident("nullable") {
                    field.nullable = Some(Versions::parse(&meta)?);
                } else if meta.path.is_ident("default") {
                    field.default = Some(meta.value()?.parse()?);
                } else if meta.path.is_ident("tag") {
                    field.tag = Some(meta.value()?.parse::<LitInt>()?.base10_parse()?);
                } else if meta.path.is_ident("ignorable") {
                    field.is_ignorable = true;
                } else {
                    return Err(meta.error(
                        "expected `versions`, `nullable`, `default`, `tag` or `ignorable`",
                    ));
                }
                Ok(())
            })?;
        }
        Ok(field)
    }
}
