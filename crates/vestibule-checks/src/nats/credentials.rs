//! A `.creds` file.
//!
//! Owns reading its two parts, a user's JWT and the seed of its key, and signing a server's nonce with it. Must
//! never show either, nor keep them behind a try.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::Ed25519KeyPair;
use tokio::fs::{self, File};
use tokio::io::AsyncReadExt;
use vestibule::check::{Reason, Trouble};

/// No more of such a file is read.
const FILE_MAX: u64 = 64 * 1024;

/// First byte of a seed and type of a user's key, in the upper five bits (nkeys: `S`, `U`).
const SEED: u8 = 18 << 3;
const USER: u8 = 20 << 3;

/// Who a user is.
pub(super) struct Credentials {
    pub(super) jwt: String,
    key: Ed25519KeyPair,
}

impl Credentials {
    pub(super) async fn read(file: &Path) -> Result<Self, Trouble> {
        let no_file = |error: std::io::Error| {
            Trouble::new(Reason::NoFile, format!("credentials_file: {error}"))
        };
        // Opening a pipe would wait for its writer, on a thread that nobody could end.
        if !fs::metadata(file).await.map_err(no_file)?.is_file() {
            return Err(Trouble::new(Reason::NoFile, "credentials_file: not a regular file"));
        }
        let mut text = String::new();
        let opened = File::open(file).await.map_err(no_file)?;
        opened.take(FILE_MAX).read_to_string(&mut text).await.map_err(no_file)?;
        Self::parse(&text).map_err(|why| {
            Trouble::new(Reason::WrongCredentials, format!("credentials_file: {why}"))
        })
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        let jwt = part(text, "NATS USER JWT").ok_or("no part NATS USER JWT")?;
        let seed = part(text, "USER NKEY SEED").ok_or("no part USER NKEY SEED")?;
        let seed = user_seed(seed).ok_or("its seed is not that of a user")?;
        let key = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| "its seed is no key")?;
        Ok(Self { jwt: jwt.to_owned(), key })
    }

    /// What proves to the server that sent this nonce that we have the key.
    pub(super) fn sign(&self, nonce: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.key.sign(nonce.as_bytes()))
    }
}

/// The first line behind `-----BEGIN …-----`.
fn part<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let begin = format!("BEGIN {name}");
    let mut lines = text.lines().map(str::trim);
    lines.find(|line| line.starts_with("---") && line.contains(&begin))?;
    lines.next().filter(|line| !line.is_empty() && !line.starts_with("---"))
}

/// The 32 bytes inside `SU…`: base32 of two bytes of type, the seed, and a checksum.
fn user_seed(text: &str) -> Option<[u8; 32]> {
    let bytes = base32(text)?;
    let (body, sum) = bytes.split_last_chunk::<2>()?;
    let [first, second, seed @ ..] = body else { return None };
    let kind = (first << 5) | (second >> 3);
    let is_user_seed = first & 0xf8 == SEED && kind == USER;
    (is_user_seed && crc16(body) == u16::from_le_bytes(*sum)).then(|| seed.try_into().ok())?
}

/// RFC 4648, section 6, without padding.
fn base32(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0_u32);
    for symbol in text.bytes() {
        let value = match symbol {
            b'A'..=b'Z' => symbol - b'A',
            b'2'..=b'7' => symbol - b'2' + 26,
            _ => return None,
        };
        (bits, held) = ((bits << 5) | u32::from(value), held + 5);
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held).to_be_bytes()[3]);
            bits &= (1 << held) - 1;
        }
    }
    Some(bytes)
}

/// CRC-16/XMODEM.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |sum, byte| {
        (0..8).fold(sum ^ (u16::from(*byte) << 8), |sum, _| {
            if sum & 0x8000 == 0 { sum << 1 } else { (sum << 1) ^ 0x1021 }
        })
    })
}

#[cfg(test)]
mod tests {
    //! Breaks the reader with files that are cut, mistyped and of another kind of key.

    use super::*;

    /// The example key of the nkeys documentation, in the form of a file.
    const SEED_TEXT: &str = "SUAGC3SBFYUVQ2CVVSYOFQ34AWL7QWCPBUIUFC2UCSOX5BKYHNQ36RH6YA";

    fn file(seed: &str) -> String {
        format!(
            "-----BEGIN NATS USER JWT-----\nhead.body.sum\n------END NATS USER JWT------\n\n\
             *** IMPORTANT ***\n-----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
        )
    }

    #[test]
    fn the_checksum_is_that_of_xmodem() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
    }

    #[test]
    fn base32_is_that_of_the_rfc() {
        assert_eq!(base32("MZXW6YTBOI").unwrap(), b"foobar");
        assert_eq!(base32("MZXW6YTB0I"), None);
    }

    #[test]
    fn cut_and_mistyped_files_are_refused_without_their_words() {
        for (text, why) in [
            (String::new(), "no part NATS USER JWT"),
            (file(""), "no part USER NKEY SEED"),
            (file("SUACANARY"), "its seed is not that of a user"),
            (file(&SEED_TEXT.replace('3', "4")), "its seed is not that of a user"),
            (file(&SEED_TEXT.replace("SU", "SA")), "its seed is not that of a user"),
        ] {
            assert_eq!(Credentials::parse(&text).err(), Some(why));
        }
    }
}
