//! STUB
#[derive(Debug, clap::Args)]
pub(crate) struct BackendArgs {}
pub(crate) fn serve(_: BackendArgs) -> Result<crate::exit::Exit, crate::error::Error> {
    Ok(crate::exit::Exit::Ok)
}
