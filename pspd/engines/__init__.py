"""Index implementations outside the process, behind the protocol of `pspd.search.index`."""
