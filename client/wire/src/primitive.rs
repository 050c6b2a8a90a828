//! The types that messages are made of.

use bytes::Bytes;

use crate::{Coding, DecodeError, Sink, Source, Str, Uuid, Wire};

macro_rules! number {
    ($($number:ty),*) => {$(
        impl Wire for $number {
            const SIZE_MIN: usize = size_of::<Self>();

            fn write(&self, sink: &mut Sink, _: Coding) {
                sink.write_slice(&self.to_be_bytes());
            }

            fn read(source: &mut Source<'_>, _: Coding) -> Result<Self, DecodeError> {
                source.read_array().map(Self::from_be_bytes)
            }
        }
    )*};
}

number!(i8, i16, i32, i64, u16, u32);

impl Wire for bool {
    const SIZE_MIN: usize = 1;

    fn write(&self, sink: &mut Sink, _: Coding) {
        sink.write_slice(&[u8::from(*self)]);
    }

    /// Any byte but zero is true, as in Kafka.
    fn read(source: &mut Source<'_>, _: Coding) -> Result<Self, DecodeError> {
        source.read_array().map(|[byte]| byte != 0)
    }
}

impl Wire for Uuid {
    const SIZE_MIN: usize = 16;

    fn write(&self, sink: &mut Sink, _: Coding) {
        sink.write_slice(&self.0);
    }

    fn read(source: &mut Source<'_>, _: Coding) -> Result<Self, DecodeError> {
        source.read_array().map(Self)
    }
}

fn required<T>(source: &Source<'_>, value: Option<T>) -> Result<T, DecodeError> {
    value.ok_or(DecodeError::UnexpectedNull {
        position: source.position(),
    })
}

impl Wire for Str {
    const SIZE_MIN: usize = 1;

    fn write(&self, sink: &mut Sink, coding: Coding) {
        sink.write_text_length(Some(self.len()), coding);
        sink.write_slice(self.as_bytes());
    }

    fn read(source: &mut Source<'_>, coding: Coding) -> Result<Self, DecodeError> {
        let length = source.read_text_length(coding)?;
        let length = required(source, length)?;
        source.read_text(length)
    }
}

impl Wire for Option<Str> {
    const SIZE_MIN: usize = 1;

    fn write(&self, sink: &mut Sink, coding: Coding) {
        match self {
            Some(text) => text.write(sink, coding),
            None => sink.write_text_length(None, coding),
        }
    }

    fn read(source: &mut Source<'_>, coding: Coding) -> Result<Self, DecodeError> {
        let length = source.read_text_length(coding)?;
        length.map(|length| source.read_text(length)).transpose()
    }
}

impl Wire for Bytes {
    const SIZE_MIN: usize = 1;

    fn write(&self, sink: &mut Sink, coding: Coding) {
        sink.write_length(Some(self.len()), coding);
        sink.write_shared(self);
    }

    fn read(source: &mut Source<'_>, coding: Coding) -> Result<Self, DecodeError> {
        let length = source.read_length(coding)?;
        let length = required(source, length)?;
        source.read_slice(length)
    }
}

impl Wire for Option<Bytes> {
    const SIZE_MIN: usize = 1;

    fn write(&self, sink: &mut Sink, coding: Coding) {
        match self {
            Some(bytes) => bytes.write(sink, coding),
            None => sink.write_length(None, coding),
        }
    }

    fn read(source: &mut Source<'_>, coding: Coding) -> Result<Self, DecodeError> {
        let length = source.read_length(coding)?;
        length.map(|length| source.read_slice(length)).transpose()
    }
}

impl<T: Wire> Wire for Vec<T> {
    const SIZE_MIN: usize = 1;

    fn write(&self, sink: &mut Sink, coding: Coding) {
        sink.write_length(Some(self.len()), coding);
        for element in self {
            element.write(sink, coding);
        }
    }

    fn read(source: &mut Source<'_>, coding: Coding) -> Result<Self, DecodeError> {
        let count = source.read_length(coding)?;
        let count = required(source, count)?;
        source.read_list(count, coding)
    }
}

impl<T: Wire> Wire for Option<Vec<T>> {
    const SIZE_MIN: usize = 1;

    fn write(&self, sink: &mut Sink, coding: Coding) {
        match self {
            Some(list) => list.write(sink, coding),
            None => sink.write_length(None, coding),
        }
    }

    fn read(source: &mut Source<'_>, coding: Coding) -> Result<Self, DecodeError> {
        let count = source.read_length(coding)?;
        count
            .map(|count| source.read_list(count, coding))
            .transpose()
    }
}
