# shellcheck shell=bash
# The cases of scripts/goldens.sh, which reads this file in a folder that holds the inputs.

# Records that differ from one in the folder by a line or two.
sed -E 's/"cpu":"[^"]*"/"cpu":"Another CPU"/; s/"fmaGFLOPS":[0-9.]+/"fmaGFLOPS":80/; s/"cpuFlag":"[^"]*"/"cpuFlag":"-march=x86-64-v3"/' \
  head.json >other-machine.json
sed -E 's/"name":"weights\/tiny","parameters":[0-9]+/"name":"synthetic:tiny","parameters":1000/' head.json >other-model.json
sed -E 's/"suite":"mini"/"suite":"quick"/; s/"hasTokenizer":true/"hasTokenizer":false/; s/"isComplete":true/"isComplete":false/; s/"nanoseconds":(60|61|62)\.5/"nanoseconds":200.5/g' \
  base.json >other-settings.json
sed -E '/"variant":"packed"/s/"passed":true/"failure":"greedy token 0 is 1","passed":false/' base.json >failed-check.json
sed -E '/"prefill":\{"batch":1,"tokens":8\}/{/"kv-cache"/s/"samples":\[\{"elapsed.*\],"status":"measured"/"message":"no answer in 60 s","samples":[],"status":"hung"/;}' \
  base.json >lost.json
sed -E 's/"machine":\{/"machine":{"governor":"powersave",/; s/,"governor":"performance"//' base.json >governor.json
# What the first versions did not write.
sed -E '/^"(ceilingSeconds|conditions|findings|countersUnavailable)":/d; s/"baselineMemoryBytes":[0-9]+,//; s/"cacheBytes":[0-9]+,//; s/"samples":\[\{"firstToken[^]]*\],"warm/"warm/; s/"forkJoin":\{[^}]*\},//; s/"memory":\[\{.*\}\],"threads"/"threads"/; s/"fmaTrials":\[[^]]*\],//' \
  counters.json >old.json
sed 's/"schema":1/"schema":2/' base.json >newer.json
sed 's/"schema":1/"schema":2/' interleaved.json >newer-interleaved.json
sed 's/"kind":"end-to-end"/"kind":"speed"/' base.json >other-kind.json
sed '2,$s/"threads":1,/"threads":0,/' base.json >no-threads.json
sed 's/^"machine":.*//' base.json >no-machine.json
head -c 3000 base.json >truncated.json
: >empty.json
echo '[1, 2]' >array.json
mkdir folder

# Reports of records.
for record in whole batch peer troubled counters old matmul ops profile interleaved interleaved-matmul; do
  for format in md csv github github-action bmf llama-bench llama-bench-sql; do
    case $record.$format in
    matmul.llama* | ops.llama* | interleaved-matmul.llama*) continue ;;
    old.[gbl]* | peer.llama* | counters.[gbl]*) continue ;;
    esac
    filter=nine_decimals golden "report-$record.$format" 0 report "$record.json" --format "$format"
  done
done
for record in batch peer troubled matmul profile interleaved-matmul; do
  filter=page golden "report-$record.html" 0 report "$record.json" --format html
done
for record in counters interleaved-matmul peer; do
  filter=nine_decimals golden "report-$record.json" 0 report "$record.json" --format json
done
golden report-default 0 report matmul.json
golden report-out 0 report matmul.json --format csv --out written.csv
kept report-out.csv written.csv
golden report-out-github 0 report interleaved.json --format github --out comment-1.md
# The committed sample, whole.
golden sample/report.md 0 report sample.json
golden sample/report.html 0 report sample.json --format html

# Comparisons.
for format in md csv json github github-action bmf; do
  filter=nine_decimals golden "compare-mixed.$format" 3 compare base.json head.json --format "$format"
  filter=nine_decimals golden "compare-machine.$format" 3 compare base.json other-machine.json --format "$format"
done
filter=page golden compare-mixed.html 3 compare base.json head.json --format html
for format in md csv json github; do
  filter=nine_decimals golden "compare-failed.$format" 4 compare base.json failed-check.json --format "$format"
done
golden compare-same.md 0 compare base.json base.json
golden compare-swapped.md 3 compare head.json base.json
golden compare-model.md 5 compare base.json other-model.json
golden compare-model.github 5 compare base.json other-model.json --format github
golden compare-kind.md 5 compare base.json matmul.json
golden compare-settings.md 5 compare base.json other-settings.json
golden compare-governor.md 0 compare base.json governor.json
golden compare-lost.md 5 compare base.json lost.json
golden compare-lost-base.md 0 compare lost.json base.json
golden compare-old.md 5 compare old.json base.json
golden compare-troubled.md 4 compare batch.json troubled.json
golden compare-matmul.md 0 compare matmul.json matmul.json
golden compare-ops.md 0 compare ops.json ops.json
golden compare-rows.md 0 compare base.json head.json --rows 'kv-cache prefill,kv-cache ttft'
golden compare-rows-memory.md 3 compare base.json head.json --rows memory
golden compare-threshold.md 3 compare base.json head.json --max-regression 30%
golden compare-thresholds.md 3 compare base.json head.json --max-regression 60%,memory=5%,decode=20%
golden compare-out-github 3 compare base.json head.json --format github --out comment-2.md
kept compare-out-github.md comment-2.md
cp "$root/Benchmarks/baselines/tiny.json" tiny.json
golden compare-baseline.md 0 compare tiny.json tiny.json --rows packed

# Explanations of stored profiles.
for format in text md csv json; do
  filter=nine_decimals golden "explain-variants.$format" 0 explain whole.json:naive whole.json:packed --format "$format"
  filter=nine_decimals golden "explain-records.$format" 0 explain base.json head.json --stage decode --format "$format"
done
golden explain-variant 0 explain whole.json profile.json --variant packed --stage decode
golden explain-out 0 explain base.json head.json --out explained.txt
kept explain-out.txt explained.txt

# What runs now, where it is the same everywhere.
filter=no_instructions golden list-variants 0 list variants
golden list-models 0 list models
golden list-suites 0 list suites
cp base.json Benchmarks/baselines/first.json
cp truncated.json Benchmarks/baselines/second.json
golden list-baselines 0 list baselines
printf 'Once upon a time\nthere was a cat.' >text.txt
golden tokenize 0 tokenize 'Once upon a time, there was.' --model weights/tiny
input=text.txt golden tokenize-input 0 tokenize --model weights/tiny
golden tokenize-decode 0 tokenize --decode '1 2 300 17' --model weights/tiny
for variant in naive kv-cache packed; do
  golden "generate-$variant" 0 generate --ids '1 2 3' -n 12 --print-ids --model weights/tiny --variant "$variant" -t 1 --quiet
done
golden generate-text 0 generate 'The ' -n 24 --model weights/tiny -t 1 --quiet
golden generate-stop 0 generate 'The ' -n 40 --model weights/tiny -t 1 --quiet --stop ' of'
golden generate-seed 0 generate 'The ' -n 16 --model weights/tiny --variant naive --quiet --temperature 0.5 --top-k 5 --seed 7
errors=no_numbers golden logits 0 logits --ids '1 2 3' --model weights/tiny --out logits.npy
filter=no_numbers errors=no_numbers \
  golden check 0 check --model weights/tiny --variants kv-cache,packed -t 1 --reference Benchmarks/reference/tiny-trained
for format in md csv json; do
  filter=no_numbers errors=no_numbers golden "perplexity.$format" 0 perplexity text.txt --model weights/tiny -t 1 --context 8 --format "$format"
done
errors=no_numbers golden export 0 export --model weights/tiny --format safetensors --out exported

# The worker's protocol.
for variant in naive packed; do
  filter=no_measurements input=worker-requests.jsonl golden "worker-$variant.jsonl" 0 worker --variant "$variant"
done
filter=no_measurements input=worker-label.jsonl golden worker-label.jsonl 0 worker label

# Help.
transcript help.txt --help
transcript help.txt
for name in all run matmul ops check profile compare explain report generate chat train perplexity tokenize logits export list info completions help worker; do
  transcript help.txt "$name" --help
done

# Wrong uses of the command line.
wrong() { transcript wrong-uses.txt "$@"; }
wrong al
wrong all --modle x
wrong all --variants naive,fast
wrong all --model gpt5
wrong all --suite slow
wrong all --baseline nothing
wrong run --model synthetic:tiny
wrong run -p 129 --model synthetic:tiny
wrong run -p 8 --model synthetic:tiny --contestant naive=./x
wrong run -p 8 --model synthetic:tiny --save-baseline a/b
wrong list
wrong list kernels
wrong list variants --quiet=1
wrong matmul
wrong matmul --size 768x
wrong matmul --size 8x8 --format llama-bench
wrong matmul --size 8x8 -t 0
wrong matmul --size 8x8 --variants blas
wrong ops --ops norm
wrong generate a b
wrong generate '' --model weights/tiny
wrong generate a --model synthetic:tiny
wrong generate a --variant naive --kv bf16 --model weights/tiny
wrong generate a --temperature -1 --model weights/tiny
wrong tokenize --decode '1 x' --model weights/tiny
wrong logits --ids 1024 --out l.npy --model weights/tiny
wrong export --model weights/tiny
wrong perplexity --format xml --model weights/tiny
wrong perplexity text.txt --model weights/tiny --stride 0
wrong train --out t
wrong train --data text.txt --model weights/tiny --layers 2 --out t
wrong train --data text.txt --model weights/tiny --out t
wrong train --data text.txt --lr -1 --out t
wrong train --resume folder
wrong profile --variant fast
wrong profile --format xml
wrong worker --variant fast

# Wrong records.
bad() { transcript wrong-records.txt "$@"; }
bad report
bad report none.json
bad report folder
for record in empty truncated array newer newer-interleaved other-kind no-threads no-machine; do bad report "$record.json"; done
bad report text.txt
bad report base.json --format xml
bad report matmul.json --format llama-bench
bad report interleaved-matmul.json --format llama-bench-sql
bad report base.json --out folder
bad report base.json --out none/report.md
bad compare
bad compare base.json
bad compare base.json none.json
bad compare base.json interleaved.json
bad compare base.json head.json --format xml
bad compare base.json head.json --rows nothing
bad compare base.json head.json --rows 'naive,'
bad compare base.json head.json --max-regression 200%
bad compare base.json head.json --max-regression 5%,speed=2%
bad compare base.json head.json --suite quick
bad compare base.json head.json --against "./none"
bad compare --against ./none --model weights/tiny
bad explain base.json
bad explain base.json base.json
bad explain whole.json base.json
bad explain whole.json:fast base.json
bad explain batch.json base.json
bad explain base.json head.json --stage prefill
bad explain base.json head.json -p 3
bad explain naive packed --variant naive
bad explain fast packed
bad explain interleaved.json base.json
