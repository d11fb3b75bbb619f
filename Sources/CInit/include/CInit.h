// What swoci-init has instead of a C library: its entry, the memory functions that the compiler calls, and an arena.
#ifndef CINIT_H
#define CINIT_H

// Gives the pages of the set-up's code and data back to the kernel; nothing that was allocated is there afterwards. Code comes back
// from the program's file when it runs again.
void ci_release_memory(void);

#endif
