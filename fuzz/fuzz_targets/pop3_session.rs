//! Invented clients talk to the POP3 session; the shell of its tests checks every promise.
#![no_main]

#[path = "../../crates/pop3/tests/shell/mod.rs"]
mod shell;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    shell::drive(data);
});
