#include "CBuild.h"

#ifndef SWOCI_COMMIT
#define SWOCI_COMMIT "unknown"
#endif

const char *swoci_commit(void) { return SWOCI_COMMIT; }
