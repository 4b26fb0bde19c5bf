#include "CSystemProbe.h"

void (*csystem_listener)(uint32_t mark) = NULL;
_Thread_local void *csystem_thread_room = NULL;
