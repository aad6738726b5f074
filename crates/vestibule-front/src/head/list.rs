//! Comma-separated lists and tokens (RFC 9110 §5.6).
//!
//! Owns their grammar, for requests and answers alike.
//! Must never allocate: lists come from strangers.

/// Whether this is a token of RFC 9110 §5.6.2.
pub(super) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|&byte| is_tchar(byte))
}

/// The tokens of one list value, empty elements skipped; `Err` for an element that is no token.
pub(super) fn tokens(value: &[u8]) -> impl Iterator<Item = Result<&str, NotAToken>> {
    value.split(|&byte| byte == b',').map(trim).filter(|element| !element.is_empty()).map(
        |element| {
            let text = std::str::from_utf8(element).map_err(|_| NotAToken)?;
            if is_token(element) { Ok(text) } else { Err(NotAToken) }
        },
    )
}

/// The value without the spaces and tabs around it.
pub(super) fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// The one value, or `None` when there is none or more than one.
pub(super) fn only<'h>(mut values: impl Iterator<Item = &'h [u8]>) -> Option<&'h [u8]> {
    let first = values.next()?;
    values.next().is_none().then_some(first)
}

/// An element of a list is not a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotAToken;

/// The extension names of one Sec-WebSocket-Extensions value (RFC 6455 §9.1), parameters checked and dropped.
pub(super) fn extension_names(value: &[u8]) -> ExtensionNames<'_> {
    ExtensionNames { rest: trim(value) }
}

/// See [`extension_names`].
pub(super) struct ExtensionNames<'v> {
    rest: &'v [u8],
}

impl<'v> Iterator for ExtensionNames<'v> {
    type Item = Result<&'v str, NotAToken>;

    fn next(&mut self) -> Option<Self::Item> {
        while let [b',' | b' ' | b'\t', rest @ ..] = self.rest {
            self.rest = rest;
        }
        if self.rest.is_empty() {
            return None;
        }
        let name = self.element();
        if name.is_none() {
            self.rest = &[];
        }
        Some(name.ok_or(NotAToken))
    }
}

impl<'v> ExtensionNames<'v> {
    /// Reads `token *( ";" token [ "=" ( token / quoted-string ) ] )` up to a comma or the end.
    fn element(&mut self) -> Option<&'v str> {
        let name = self.token()?;
        loop {
            self.skip_space();
            match self.rest {
                [] | [b',', ..] => return Some(name),
                [b';', rest @ ..] => self.rest = rest,
                _ => return None,
            }
            self.skip_space();
            self.token()?;
            self.skip_space();
            if let [b'=', rest @ ..] = self.rest {
                self.rest = rest;
                self.skip_space();
                self.parameter_value()?;
            }
        }
    }

    fn parameter_value(&mut self) -> Option<()> {
        let [b'"', quoted @ ..] = self.rest else {
            return self.token().map(|_| ());
        };
        // RFC 6455 §9.1: the value inside the quotes must itself be a token, so no escape can be needed.
        let end = quoted.iter().position(|&byte| byte == b'"')?;
        self.rest = &quoted[end + 1..];
        is_token(&quoted[..end]).then_some(())
    }

    fn token(&mut self) -> Option<&'v str> {
        let end = self.rest.iter().position(|&byte| !is_tchar(byte)).unwrap_or(self.rest.len());
        let (token, rest) = self.rest.split_at(end);
        self.rest = rest;
        if token.is_empty() { None } else { std::str::from_utf8(token).ok() }
    }

    fn skip_space(&mut self) {
        while let [b' ' | b'\t', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }
}

const fn is_tchar(byte: u8) -> bool {
    matches!(byte,
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z'
        | b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~')
}
