// What the build knows of itself.
#ifndef CBUILD_H
#define CBUILD_H

// The commit that the sources were checked out at, in hexadecimal, with "-dirty" where they were changed since; "unknown" where the build
// was not told.
const char *swoci_commit(void);

#endif
