{{/*
The KV cache, as vLLM 0.29 lays it out (vllm/v1/core/kv_cache_utils.py, get_kv_cache_groups and
_max_memory_usage_bytes_from_groups; tests/chart/test_kv.py asks it). Bytes of one accelerator.

A preset's `attention` names the kinds of layers that keep something; without it all keep K and V of every
token. What a layer keeps of a token, or of a sequence (vllm/v1/kv_cache_interface.py):

  full       max(1, kvHeads / tensor) x (headSize + valueHeadSize) x bytes; kept for every token
  window     the same, for the last `window` tokens and those of the steps in flight
  latent     latent x bytes, on every rank: multi-head latent attention (deepseek_v2.py). Where an indexer
             picks tokens, FP8 has 4 scales and the 64 numbers of the rotary part in bf16 beside it
  indexer    so many bytes, on every rank
  state      a convolution of kernel - 1 steps and a matrix of each head, for a sequence, whatever its
             length; twice, unless prefix caching is off (vllm/model_executor/layers/mamba/mamba_utils.py)

One form of `state` for all, in the words of each config.json:

             Mamba2              gated delta net         Kimi's (KDA)      short convolution
  heads      mamba_num_heads     linear_num_value_heads  num_heads         conv_dim
  headSize   mamba_head_dim      linear_value_head_dim   head_dim          1
  groups     n_groups            linear_num_key_heads    num_heads         0
  stateSize  ssm_state_size      linear_key_head_dim     head_dim          0
  kernel     conv_kernel         linear_conv_kernel_dim  short_conv_...    conv_L_cache
  dtype      of the matrix: mamba_ssm_cache_dtype, mamba_ssm_dtype; absent: the model's; of KDA float32

A cache consists of blocks, each of which holds some tokens of a group of layers. Layers that keep every
token are one group. Otherwise the kinds become groups of as many layers as the rarest kind has
(_get_kv_cache_groups_uniform_page_size), whose layers have pages of one size: the block of a full layer
grows until it is as large as a state (vllm/platforms/interface.py, _align_hybrid_block_size), and that of a
kind with a smaller page until it is as large as the largest one (unify_kv_cache_spec_page_size). Each stage of
a pipeline is taken to have its share of each kind, as those of a regular pattern have.

Sets `kv` in `out`: `block`, `sequence` and `token`, bytes of a block, of what a sequence takes, and of what a further
token of it does; and `replicated`, the parameters of attention that this accelerator has in excess of its share.
(dict "model" model "kwargs" dict "tensor" int "pipeline" int "batched" int "out" dict)
*/}}
{{- define "hybrid-llm.kv" -}}
{{- $model := .model -}}
{{- $spec := $model.spec -}}
{{- $tensor := .tensor | int64 -}}
{{- $pipeline := .pipeline | int64 -}}
{{- $length := $model.maxModelLen | int64 -}}
{{- $bytes := ternary 2 1 (eq $model.kvCacheDtype "auto") | int64 -}}
{{- $given := default (list (dict "layers" $spec.layers)) $spec.attention -}}

{{- $replicated := 0.0 -}}
{{- $kinds := list -}}
{{- range $given -}}
  {{- $kind := dict "layers" (int64 .layers) "window" 0 "is" "full" -}}
  {{- if hasKey . "state" -}}
    {{- $state := include "hybrid-llm.kv.state" (dict "state" .state "tensor" $tensor) | int64 -}}
    {{- $kind = merge (dict "is" "state" "page" $state) $kind -}}
  {{- else if hasKey . "indexer" -}}
    {{- $kind = merge (dict "is" "indexer" "token" (int64 .indexer)) $kind -}}
  {{- else if hasKey . "latent" -}}
    {{- $kind = merge (dict "is" "latent" "token" (mul .latent $bytes)) $kind -}}
    {{- /* The projections into latents are whole on every rank: queries' is some three times as wide. */ -}}
    {{- $replicated = addf $replicated (mulf .layers $spec.hiddenSize 4 .latent (subf 1 (divf 1 $tensor))) -}}
  {{- else -}}
    {{- $all := default $spec.kvHeads .kvHeads | int64 -}}
    {{- $heads := max 1 (div $all $tensor) -}}
    {{- $size := default $spec.headSize .headSize | int64 -}}
    {{- $both := add $size (default $size .valueHeadSize) -}}
    {{- $kind = merge (dict "token" (mul $heads $both $bytes)) $kind -}}
    {{- $replicated = addf $replicated (mulf .layers $spec.hiddenSize $both (subf $heads (divf $all $tensor))) -}}
    {{- with .window -}}{{- $_ := set $kind "is" "window" -}}{{- $_ := set $kind "window" (int64 .) -}}{{- end -}}
  {{- end -}}
  {{- $kinds = append $kinds $kind -}}
{{- end -}}
{{- $has := dict -}}
{{- range $kinds -}}{{- $_ := set $has .is . -}}{{- end -}}
{{- if and $has.indexer $has.latent (eq $bytes 1) -}}
  {{- $_ := set $has.latent "token" (add $has.latent.token 80) -}}
{{- end -}}

{{- /* Tokens of a block. That of attention over latents is what its kernels want: 16 to 64, and 128 beside states. */ -}}
{{- $small := ternary 32 16 $model.cpu -}}
{{- $tokens := ternary 128 16 $model.cpu -}}
{{- if $has.latent -}}
  {{- $tokens = ternary 16 (ternary 128 64 (hasKey $has "state")) $model.cpu -}}
{{- else if $has.indexer -}}
  {{- $tokens = 128 -}}
{{- end -}}
{{- $tokens = default $tokens (get .kwargs "block_size") | int64 -}}
{{- $first := default (default dict $has.latent) $has.full -}}
{{- if and $has.state $first -}}
  {{- $most := 0 -}}
  {{- range $kinds -}}{{- if eq .is "state" -}}{{- $most = max $most .page -}}{{- end -}}{{- end -}}
  {{- $step := mul $tokens $first.token -}}
  {{- $tokens = mul $tokens (div (add $most $step -1) $step) -}}
{{- end -}}
{{- $inFlight := mul .batched (ternary $pipeline (add1 $pipeline) (eq (get .kwargs "async_scheduling" | toString) "false")) -}}
{{- $states := ternary 1 2 (eq (get .kwargs "enable_prefix_caching" | toString) "false") -}}

{{- $largest := 0 -}}
{{- range $kinds -}}
  {{- $_ := set . "tokens" (ternary $small $tokens (eq .is "window") | int64) -}}
  {{- if ne .is "state" -}}{{- $_ := set . "page" (mul .tokens .token) -}}{{- end -}}
  {{- $largest = max $largest .page -}}
{{- end -}}
{{- $uniform := and (not $has.state) (or (not $has.window) (not (or $has.full $has.latent $has.indexer))) -}}
{{- range $kinds -}}{{- if and $has.window (ne .window $has.window.window) -}}{{- $uniform = false -}}{{- end -}}{{- end -}}

{{- $fewest := 0 -}}
{{- $lots := 0 -}}
{{- range $kinds -}}
  {{- $fewest = ternary .layers (min $fewest .layers) (eq $fewest 0) -}}
  {{- $lots = max $lots .layers -}}
{{- end -}}
{{- if lt (mul 2 $lots) (mul 3 $fewest) -}}{{- $fewest = $lots -}}{{- end -}}
{{- $block := 0 -}}
{{- $blocks := 0 -}}
{{- $growing := 0.0 -}}{{- /* blocks that a further token takes */ -}}
{{- range $kinds -}}
  {{- $here := div (add .layers $pipeline -1) $pipeline -}}{{- /* of the stage that has most of them */ -}}
  {{- $groups := 1 -}}
  {{- if $uniform -}}
    {{- $block = add $block (mul $here .page) -}}
  {{- else -}}
    {{- $groups = div (add .layers $fewest -1) $fewest -}}
    {{- $block = max $block (mul (div (add $here $groups -1) $groups) $largest) -}}
    {{- if and (ne .is "state") (eq (mod $largest .page) 0) -}}
      {{- $_ := set . "tokens" (mul .tokens (div $largest .page)) -}}
    {{- end -}}
  {{- end -}}
  {{- $needs := $states -}}
  {{- if eq .is "window" -}}
    {{- $needs = add1 (div (add (min $length (add .window -1 $inFlight)) .tokens -1) .tokens) -}}
  {{- else if ne .is "state" -}}
    {{- $needs = div (add $length .tokens -1) .tokens -}}
    {{- $more := divf $groups .tokens -}}
    {{- $growing = ternary $more (addf $growing $more) $uniform -}}
  {{- end -}}
  {{- $blocks = ternary $needs (add $blocks (mul $groups $needs)) $uniform -}}
{{- end -}}
{{- $_ := set .out "kv" (dict "block" $block "sequence" (mul $block $blocks) "token" (mulf $block $growing) "replicated" $replicated) -}}
{{- end -}}

{{/*
Bytes of one layer's state of a sequence. One form for all kinds: Mamba2, and gated delta nets, whose `groups` are
their key heads and whose `stateSize` is a key's; a short convolution has neither. The convolution's is in the
model's 16 bits. Mamba2 has a group's part on every rank that needs it (extra_groups_for_head_shards).
(dict "state" dict "tensor" int)
*/}}
{{- define "hybrid-llm.kv.state" -}}
{{- $state := .state -}}
{{- $groups := int64 $state.groups -}}
{{- if mod $groups .tensor -}}{{- $groups = .tensor -}}{{- end -}}
{{- $channels := add (mul $state.heads $state.headSize) (mul 2 $groups $state.stateSize) -}}
{{- $convolution := div (mul (sub $state.kernel 1) $channels 2) .tensor -}}
{{- $matrix := div (mul $state.heads $state.headSize $state.stateSize) .tensor -}}
{{- add $convolution (mul $matrix (ternary 4 2 (eq (default "" $state.dtype) "float32"))) -}}
{{- end -}}

{{/*
What of a model so many ranks cannot share: {"count": number, "what": name}, as JSON, or {}. Heads of K and V that are
fewer than ranks are copied (QKVParallelLinear in vllm/model_executor/layers/linear.py), and so is the one group of a
Mamba2 (mamba_mixer2.py); latents are whole on every rank anyway.
(dict "spec" preset "tensor" int)
*/}}
{{- define "hybrid-llm.kv.uneven" -}}
{{- $tensor := .tensor | int64 -}}
{{- $spec := .spec -}}
{{- $found := dict -}}
{{- range $layers := default (list dict) $spec.attention -}}
  {{- with $layers.state -}}
    {{- if mod .heads $tensor -}}
      {{- $found = dict "count" (int64 .heads) "what" "heads of its states" -}}
    {{- else if and (gt (int64 .groups) 1) (mod .groups $tensor) -}}
      {{- $found = dict "count" (int64 .groups) "what" "groups of its states" -}}
    {{- end -}}
  {{- else -}}
    {{- $heads := default $spec.kvHeads $layers.kvHeads | int64 -}}
    {{- $shared := or (hasKey $layers "latent") (hasKey $layers "indexer") -}}
    {{- if and (not $shared) (mod $heads $tensor) (mod $tensor $heads) -}}
      {{- $found = dict "count" $heads "what" "KV heads" -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- if and (not $found) (mod $spec.attentionHeads $tensor) -}}
  {{- $found = dict "count" (int64 $spec.attentionHeads) "what" "attention heads" -}}
{{- end -}}
{{- toJson $found -}}
{{- end -}}
