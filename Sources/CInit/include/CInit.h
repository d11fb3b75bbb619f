// What swoci-init has instead of a C library: its entry, the memory functions that the compiler calls, and an arena.
#ifndef CINIT_H
#define CINIT_H
#endif
