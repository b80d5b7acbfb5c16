//! One SCRAM-SHA-256 exchange, seen from the server.
//!
//! Promises: four messages in order; what does not fit ends the exchange and says nothing of why;
//! channel binding is not offered, and a client that insists on it is refused.
//! Standards: RFC 5802 §5 and §7, RFC 7677.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use contracts::ScramKeys;
use data_encoding::BASE32_NOPAD;
use subtle::ConstantTimeEq;

use super::{random, scram_keys};

/// The exchange failed; why is nobody's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ScramRefused;

/// What the client's first message says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ClientFirst {
    /// Who signs in.
    pub(crate) name: String,
    /// On whose behalf, where somebody was named.
    pub(crate) authorization_id: Option<String>,
    gs2_header: String,
    bare: String,
    nonce: String,
}

/// An exchange that waits for the client's proof.
pub(crate) struct ScramExchange {
    first: ClientFirst,
    server_first: String,
    nonce: String,
    stored_key: Vec<u8>,
    server_key: Vec<u8>,
}

impl ClientFirst {
    /// Reads client-first-message.
    pub(crate) fn parse(message: &[u8]) -> Result<Self, ScramRefused> {
        let text = std::str::from_utf8(message).map_err(|_| ScramRefused)?;
        // RFC 5802 §7: gs2-cbind-flag "," [authzid] "," client-first-message-bare.
        let mut parts = text.splitn(3, ',');
        let (flag, authorization) = (part(&mut parts)?, part(&mut parts)?);
        let bare = part(&mut parts)?;
        // RFC 5802 §6: "p=" asks for channel binding, which is not offered.
        if !matches!(flag, "n" | "y") {
            return Err(ScramRefused);
        }
        let authorization_id = match authorization.strip_prefix("a=") {
            Some(name) => Some(unescaped(name)?),
            None if authorization.is_empty() => None,
            None => return Err(ScramRefused),
        };
        let mut attributes = bare.split(',');
        let name = unescaped(attribute(&mut attributes, "n=")?)?;
        let nonce = attribute(&mut attributes, "r=")?.to_owned();
        if nonce.is_empty() || name.is_empty() {
            return Err(ScramRefused);
        }
        Ok(Self {
            name,
            authorization_id,
            gs2_header: format!("{flag},{authorization},"),
            bare: bare.to_owned(),
            nonce,
        })
    }
}

impl ScramExchange {
    /// Begins with the client's first message and the keys of the user it names.
    pub(crate) fn begin(first: ClientFirst, keys: &ScramKeys) -> Result<Self, ScramRefused> {
        let own = BASE32_NOPAD.encode(&random::octets::<20>());
        Self::with_nonce(first, keys, &own)
    }

    fn with_nonce(first: ClientFirst, keys: &ScramKeys, own: &str) -> Result<Self, ScramRefused> {
        let decoded = |text: &str| STANDARD.decode(text).map_err(|_| ScramRefused);
        let nonce = format!("{}{own}", first.nonce);
        let server_first = format!("r={nonce},s={},i={}", keys.salt, keys.rounds);
        Ok(Self {
            stored_key: decoded(&keys.stored_key)?,
            server_key: decoded(&keys.server_key)?,
            first,
            server_first,
            nonce,
        })
    }

    /// The server's first message.
    pub(crate) fn challenge(&self) -> &str {
        &self.server_first
    }

    /// Reads client-final-message; gives server-final-message when the proof is right.
    pub(crate) fn finish(self, message: &[u8]) -> Result<String, ScramRefused> {
        let text = std::str::from_utf8(message).map_err(|_| ScramRefused)?;
        let (without_proof, proof) = text.rsplit_once(",p=").ok_or(ScramRefused)?;
        let mut attributes = without_proof.split(',');
        let binding = attribute(&mut attributes, "c=")?;
        let nonce = attribute(&mut attributes, "r=")?;
        if binding != STANDARD.encode(&self.first.gs2_header) || nonce != self.nonce {
            return Err(ScramRefused);
        }
        // RFC 5802 §3: AuthMessage.
        let signed = format!("{},{},{without_proof}", self.first.bare, self.server_first);
        let signature =
            scram_keys::mac(&self.stored_key, &[signed.as_bytes()]).ok_or(ScramRefused)?;
        let proof = STANDARD.decode(proof).map_err(|_| ScramRefused)?;
        if proof.len() != signature.len() {
            return Err(ScramRefused);
        }
        let client_key: Vec<u8> = proof.iter().zip(signature).map(|(p, s)| p ^ s).collect();
        let right = scram_keys::digest(&client_key).ct_eq(&self.stored_key);
        if !bool::from(right) {
            return Err(ScramRefused);
        }
        let verifier =
            scram_keys::mac(&self.server_key, &[signed.as_bytes()]).ok_or(ScramRefused)?;
        Ok(format!("v={}", STANDARD.encode(verifier)))
    }
}

impl std::fmt::Debug for ScramExchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScramExchange").finish_non_exhaustive()
    }
}

fn part<'a>(parts: &mut impl Iterator<Item = &'a str>) -> Result<&'a str, ScramRefused> {
    parts.next().ok_or(ScramRefused)
}

fn attribute<'a>(
    attributes: &mut impl Iterator<Item = &'a str>,
    name: &str,
) -> Result<&'a str, ScramRefused> {
    // RFC 5802 §5.1: an unknown mandatory extension ("m=") ends it, as does any other order.
    part(attributes)?.strip_prefix(name).ok_or(ScramRefused)
}

/// RFC 5802 §5.1: "=2C" and "=3D" stand for comma and equals sign; any other "=" is wrong.
fn unescaped(name: &str) -> Result<String, ScramRefused> {
    let mut parts = name.split('=');
    let mut plain = part(&mut parts)?.to_owned();
    for rest in parts {
        if let Some(rest) = rest.strip_prefix("2C") {
            plain.push(',');
            plain.push_str(rest);
        } else if let Some(rest) = rest.strip_prefix("3D") {
            plain.push('=');
            plain.push_str(rest);
        } else {
            return Err(ScramRefused);
        }
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER_NONCE: &str = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    const FINAL: &str = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                         p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

    fn keys() -> ScramKeys {
        ScramKeys {
            salt: "W22ZaJ0SNY7soEsUEjb6gQ==".to_owned(),
            rounds: 4096,
            stored_key: "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=".to_owned(),
            server_key: "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=".to_owned(),
        }
    }

    fn begun() -> ScramExchange {
        let first = ClientFirst::parse(b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO").unwrap();
        assert_eq!(first.name, "user");
        ScramExchange::with_nonce(first, &keys(), SERVER_NONCE).unwrap()
    }

    #[test]
    fn the_example_of_the_rfc_signs_in() {
        // RFC 7677 §3.
        let exchange = begun();
        assert_eq!(
            exchange.challenge(),
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
        );
        assert_eq!(
            exchange.finish(FINAL.as_bytes()).as_deref(),
            Ok("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
        );
    }

    #[test]
    fn whatever_does_not_fit_is_refused() {
        for wrong in [
            FINAL.replace("dHzb", "dHzc"),
            FINAL.replace("biws", "eSws"),
            FINAL.replace("hNlF$k0,", "hNlF$k1,"),
            FINAL.replace(",p=dHzb", ",p="),
            "c=biws".to_owned(),
            String::new(),
        ] {
            assert_eq!(
                begun().finish(wrong.as_bytes()),
                Err(ScramRefused),
                "{wrong}"
            );
        }
        for wrong in [
            "p=tls-unique,,n=user,r=abc",
            "n,,m=1,n=user,r=abc",
            "n,,n=us=er,r=abc",
            "n,,n=user",
            "n,,n=,r=abc",
            "n,,n=user,r=",
            "n,b=x,n=user,r=abc",
            "x",
            "",
        ] {
            assert_eq!(
                ClientFirst::parse(wrong.as_bytes()),
                Err(ScramRefused),
                "{wrong}"
            );
        }
    }

    #[test]
    fn names_are_unescaped() {
        let first = ClientFirst::parse(b"y,a=x,n=a=2Cb=3Dc,r=1").unwrap();
        assert_eq!(first.name, "a,b=c");
        assert_eq!(first.authorization_id.as_deref(), Some("x"));
    }
}
