//! What the shell knows about a connection before the client says anything.
//!
//! Promises: plain data; the session decides from it what it offers and what it insists on.
//! Does not: hold peer addresses or certificates; who may do what is not the session's to say.

/// Which kind of listener took the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// Port 25.
    Relay,
    /// Port 587 (RFC 6409).
    Submission,
    /// Port 465, TLS from the first octet (RFC 8314 §3.3).
    SubmissionTls,
}

/// Whether the connection is, or can be, encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsState {
    /// No certificate here: STARTTLS is not offered.
    Unavailable,
    /// STARTTLS is offered.
    Available,
    /// STARTTLS is offered, and MAIL and AUTH are refused until it was used.
    Required,
    /// TLS is on.
    Active,
}

/// Whether the client may sign in on this connection as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthOffer {
    /// Never on this listener or for this peer.
    NotHere,
    /// Not before TLS: AUTH is not announced and answered 538.
    AfterTls,
    /// PLAIN and LOGIN, and SCRAM-SHA-256 when `scram`.
    Now {
        /// SCRAM-SHA-256 is offered too.
        scram: bool,
    },
}

/// What becomes of a line feed without carriage return in content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BareLf {
    /// The message is refused, 550 5.6.0.
    #[default]
    Refuse,
    /// It becomes CRLF, for listed devices. It still neither ends the message nor begins a line
    /// for dot-stuffing: the end is CRLF.CRLF and nothing else, and a device that ends even its
    /// commands with LF alone is not served.
    MakeCrlf,
}

/// The facts of one connection; replaced as a whole when TLS starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Our own name, as the greeting says it.
    pub host_name: String,
    /// Which listener.
    pub service: Service,
    /// Encryption.
    pub tls: TlsState,
    /// Sign-in.
    pub auth: AuthOffer,
    /// MAIL without sign-in is answered 530 5.7.0.
    pub auth_required: bool,
    /// What becomes of bare line feeds in content.
    pub bare_lf: BareLf,
}
