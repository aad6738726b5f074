//! STUB
#[derive(Debug, clap::Args)]
pub(crate) struct RaceArgs {}
pub(crate) fn race(_: RaceArgs) -> Result<crate::exit::Exit, crate::error::Error> {
    Ok(crate::exit::Exit::ClientLost)
}
