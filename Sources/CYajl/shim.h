// The event parser of libyajl (yajl_parse.h), linked from its static archive.
#include <yajl/yajl_parse.h>
