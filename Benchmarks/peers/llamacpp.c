// What llamacpp.py asks of llama.cpp, through functions that no version of its structs can break. Compiled by
// scripts/install_peers.sh against the llama.h of the build beside it.
#include "llama.h"
#include <stdbool.h>
#include <stdio.h>

struct peer {
  struct llama_model *model;
  struct llama_context *context;
};

static void log_errors(enum ggml_log_level level, const char *text, void *unused) {
  (void)unused;
  if (level == GGML_LOG_LEVEL_ERROR) fputs(text, stderr);
}

void peer_start(void) {
  llama_log_set(log_errors, NULL);
  llama_backend_init();
}

void peer_close(struct peer *peer) {
  if (peer->context) llama_free(peer->context);
  if (peer->model) llama_model_free(peer->model);
  *peer = (struct peer){0};
}

// What is not said here is llama.cpp's default, such as mapped weights. Its flash attention rounds a float32 cache to
// half precision in every step, so it goes with a half-precision cache only.
bool peer_open(struct peer *peer, const char *path, int threads, int context, bool half_cache) {
  peer_close(peer);
  peer->model = llama_model_load_from_file(path, llama_model_default_params());
  if (!peer->model) return false;
  struct llama_context_params params = llama_context_default_params();
  params.n_ctx = params.n_batch = context;
  params.n_threads = params.n_threads_batch = threads;
  params.type_k = params.type_v = half_cache ? GGML_TYPE_F16 : GGML_TYPE_F32;
  params.flash_attn_type = half_cache ? LLAMA_FLASH_ATTN_TYPE_AUTO : LLAMA_FLASH_ATTN_TYPE_DISABLED;
  peer->context = llama_init_from_model(peer->model, params);
  return peer->context != NULL;
}

// Logits of the last of `count` ids, after those that are in the cache; NULL on failure.
const float *peer_decode(struct peer *peer, bool from_empty, const int32_t *ids, int count) {
  if (from_empty) llama_memory_clear(llama_get_memory(peer->context), false);
  struct llama_batch batch = llama_batch_get_one((llama_token *)ids, count);
  if (llama_decode(peer->context, batch) != 0) return NULL;
  return llama_get_logits_ith(peer->context, -1);
}
