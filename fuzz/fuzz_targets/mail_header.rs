//! Any octets as a message: the header section keeps its promises, its values are bounded.
#![no_main]

#[path = "../../crates/mail/tests/drive_header/mod.rs"]
mod drive_header;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    drive_header::drive(data);
});
