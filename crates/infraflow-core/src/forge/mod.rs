//! Change requests, comments and reviews of a forge, and a local one that needs no server.
