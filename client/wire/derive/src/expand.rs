//! Writes the implementations.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::{Data, DataStruct, DeriveInput, Fields, Result, Type};

use crate::attribute::{FieldAttribute, Role, Versions};

struct Field<'a> {
    name: &'a Ident,
    /// What holds the value while the struct is read; so that no field's name hides a parameter.
    local: Ident,
    /// `Struct.field`, for error messages.
    path: String,
    ty: &'a Type,
    attribute: FieldAttribute,
}

pub(crate) fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let Data::Struct(DataStruct {
        fields: Fields::Named(named),
        ..
    }) = &input.data
    else {
        return Err(syn::Error::new_spanned(
            &input.ident,
            "a struct with named fields is needed",
        ));
    };
    let role = Role::parse(&input.attrs)?;
    let mut fields = Vec::new();
    for field in &named.named {
        let Some(name) = field.ident.as_ref() else {
            continue;
        };
        fields.push(Field {
            name,
            local: format_ident!("field_{name}"),
            path: format!("{}.{name}", input.ident),
            ty: &field.ty,
            attribute: FieldAttribute::parse(&field.attrs)?,
        });
    }
    let wire = wire_impl(&input.ident, &fields);
    let default = default_impl(&input.ident, &fields);
    let message = message_impl(&input.ident, &role);
    let generate = generate_impl(&input.ident, &fields);
    Ok(quote! { #wire #default #message #generate })
}

/// The test whether `version` lies in the range; `None` if it always does.
fn condition(versions: Versions) -> Option<TokenStream> {
    let Versions { first, last } = versions;
    match (first, last) {
        (0, i16::MAX) => None,
        (first, i16::MAX) => Some(quote!(version >= #first)),
        (0, last) => Some(quote!(version <= #last)),
        (first, last) => Some(quote!((#first..=#last).contains(&version))),
    }
}

impl Field<'_> {
    /// The value at versions without the field, as an expression of the field's type.
    fn default(&self) -> TokenStream {
        let ty = self.ty;
        match &self.attribute.default {
            Some(value) => quote!({ let value: #ty = #value; value }),
            None => quote!(<#ty as ::core::default::Default>::default()),
        }
    }

    /// The test for a null where the version has none; `None` if every null is in order.
    fn null_check(&self, is_null: &TokenStream) -> Option<TokenStream> {
        let nullable = self.attribute.nullable?;
        if nullable.covers(self.attribute.versions) {
            return None;
        }
        let nullable = condition(nullable)?;
        Some(quote!(#is_null && !(#nullable)))
    }

    fn write(&self) -> TokenStream {
        let Self { name, path, .. } = self;
        let check = self
            .null_check(&quote!(self.#name.is_none()))
            .map(|is_wrong| quote!(if #is_wrong { sink.refuse_null(#path, version); }));
        let write = quote! {
            #check
            ::barnabas_wire::Wire::write(&self.#name, sink, coding);
        };
        match condition(self.attribute.versions) {
            None => write,
            Some(exists) => {
                let loss = self.refuse_loss();
                quote!(if #exists { #write } #loss)
            }
        }
    }

    /// Refuses a value that the version cannot carry, unless it may be dropped.
    fn refuse_loss(&self) -> Option<TokenStream> {
        if self.attribute.is_ignorable {
            return None;
        }
        let exists = condition(self.attribute.versions)?;
        let Self { name, path, .. } = self;
        let default = self.default();
        Some(quote! {
            if !(#exists) && self.#name != #default {
                sink.refuse_field(#path, version);
            }
        })
    }

    fn read(&self) -> TokenStream {
        let Self { local, ty, .. } = self;
        let read = quote!(<#ty as ::barnabas_wire::Wire>::read(source, coding)?);
        let read = match self.null_check(&quote!(value.is_none())) {
            None => read,
            Some(is_wrong) => quote!({
                let position = source.position();
                let value = #read;
                if #is_wrong {
                    return Err(::barnabas_wire::DecodeError::UnexpectedNull { position });
                }
                value
            }),
        };
        let default = self.default();
        match condition(self.attribute.versions) {
            None => quote!(let #local: #ty = #read;),
            Some(exists) => quote!(let #local: #ty = if #exists { #read } else { #default };),
        }
    }

    /// The test whether a tagged field is to be written.
    fn is_sent(&self) -> TokenStream {
        let name = self.name;
        let default = self.default();
        match condition(self.attribute.versions) {
            None => quote!(self.#name != #default),
            Some(exists) => quote!(#exists && self.#name != #default),
        }
    }
}

fn wire_impl(name: &Ident, fields: &[Field<'_>]) -> TokenStream {
    let (tagged, plain): (Vec<_>, Vec<_>) = fields.iter().partition(|f| f.attribute.tag.is_some());
    let writes = plain.iter().map(|f| f.write());
    let losses = tagged.iter().filter_map(|f| f.refuse_loss());
    let reads = plain.iter().map(|f| f.read());
    let names = fields.iter().map(|f| f.name);
    let locals = fields.iter().map(|f| &f.local);
    let always = plain
        .iter()
        .filter(|f| f.attribute.versions == Versions::ALL)
        .map(|f| f.ty);
    let write_tags = write_tags(&tagged);
    let (tag_lets, read_tags) = read_tags(&tagged);
    let version = if fields
        .iter()
        .any(|f| f.attribute.versions != Versions::ALL || f.attribute.nullable.is_some())
    {
        Some(quote!(let version = coding.api_version;))
    } else {
        None
    };
    quote! {
        #[automatically_derived]
        impl ::barnabas_wire::Wire for #name {
            const SIZE_MIN: usize = 0 #(+ <#always as ::barnabas_wire::Wire>::SIZE_MIN)*;

            fn write(&self, sink: &mut ::barnabas_wire::Sink, coding: ::barnabas_wire::Coding) {
                #version
                #(#writes)*
                #(#losses)*
                if coding.is_flexible { #write_tags }
            }

            fn read(
                source: &mut ::barnabas_wire::Source<'_>,
                coding: ::barnabas_wire::Coding,
            ) -> ::core::result::Result<Self, ::barnabas_wire::DecodeError> {
                #version
                #(#reads)*
                #(#tag_lets)*
                if coding.is_flexible { #read_tags }
                Ok(Self { #(#names: #locals),* })
            }
        }
    }
}

fn write_tags(tagged: &[&Field<'_>]) -> TokenStream {
    if tagged.is_empty() {
        return quote!(sink.write_uvarint(0););
    }
    let mut tagged = tagged.to_vec();
    tagged.sort_by_key(|f| f.attribute.tag);
    let counts = tagged.iter().map(|f| f.is_sent()).collect::<Vec<_>>();
    let writes = tagged.iter().map(|f| {
        let (name, tag) = (f.name, f.attribute.tag);
        quote!(sink.write_tagged(#tag, &self.#name, coding);)
    });
    quote! {
        sink.write_uvarint(0 #(+ u32::from(#counts))*);
        #(if #counts { #writes })*
    }
}

fn read_tags(tagged: &[&Field<'_>]) -> (Vec<TokenStream>, TokenStream) {
    if tagged.is_empty() {
        return (Vec::new(), quote!(source.skip_tags()?;));
    }
    let lets = tagged.iter().map(|f| {
        let (local, ty, default) = (&f.local, f.ty, f.default());
        quote!(let mut #local: #ty = #default;)
    });
    let arms = tagged.iter().map(|f| {
        let (local, ty, tag) = (&f.local, f.ty, f.attribute.tag);
        let exists = condition(f.attribute.versions).map(|exists| quote!(if #exists));
        quote! {
            #tag #exists => #local = <#ty as ::barnabas_wire::Wire>::read(source, coding)?,
        }
    });
    let read = quote! {
        let count = source.read_uvarint()?;
        for _ in 0..count {
            let (tag, scope) = source.enter_tag()?;
            match tag { #(#arms)* _ => {} }
            source.leave_tag(&scope);
        }
    };
    (lets.collect(), read)
}

fn default_impl(name: &Ident, fields: &[Field<'_>]) -> TokenStream {
    let names = fields.iter().map(|f| f.name);
    let defaults = fields.iter().map(Field::default);
    quote! {
        #[automatically_derived]
        impl ::core::default::Default for #name {
            fn default() -> Self {
                Self { #(#names: #defaults),* }
            }
        }
    }
}

fn message_impl(name: &Ident, role: &Role) -> TokenStream {
    let (Role::Request(api) | Role::Response(api)) = role else {
        return TokenStream::new();
    };
    let message = quote! {
        #[automatically_derived]
        impl ::barnabas_wire::Message for #name {
            const API: ::barnabas_wire::ApiKey = ::barnabas_wire::ApiKey::#api;
        }
    };
    if !matches!(role, Role::Request(_)) {
        return message;
    }
    let response = format_ident!("{}Response", api);
    quote! {
        #message
        #[automatically_derived]
        impl ::barnabas_wire::Request for #name {
            type Response = #response;
        }
    }
}

fn generate_impl(name: &Ident, fields: &[Field<'_>]) -> TokenStream {
    let names = fields.iter().map(|f| f.name);
    let values = fields.iter().map(|f| {
        let ty = f.ty;
        let generate = quote! {
            <#ty as ::barnabas_wire::generate::Generate>::generate(seed, coding)
        };
        let value = match f.null_check(&quote!(value.is_none())) {
            None => generate,
            Some(is_wrong) => quote!({
                let mut value = #generate;
                while #is_wrong { value = #generate; }
                value
            }),
        };
        let default = f.default();
        match condition(f.attribute.versions) {
            None => value,
            Some(exists) => quote!(if #exists { #value } else { #default }),
        }
    });
    quote! {
        #[cfg(any(test, feature = "generate"))]
        #[automatically_derived]
        impl ::barnabas_wire::generate::Generate for #name {
            fn generate(
                seed: &mut ::barnabas_wire::generate::Seed,
                coding: ::barnabas_wire::Coding,
            ) -> Self {
                let version = coding.api_version;
                let _ = version;
                Self { #(#names: #values),* }
            }
        }
    }
}
