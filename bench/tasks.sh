#!/usr/bin/env bash
# Runs the presets tag and classify and the same models of PyTorch in turn, and prints
# a line for each round: task, threads, then training and predicting, in examples a
# second, ours, PyTorch's, and ours over PyTorch's.
#
#	bench/tasks.sh [PYTHON [ROUNDS]]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=${1:-python3} rounds=${2:-4} seconds=3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

go build -o "$scratch/sluice" ./cmd/sluice
go test -c -o "$scratch/train.test" ./train
for task in tag:dates/train.conll classify:grammars/train.tsv; do
	"$scratch/sluice" train "${task%%:*}" --hidden 4 --epochs 1 --quiet --out "$scratch/run" >/dev/null
	"$scratch/sluice" predict "$scratch/run" --data "${task#*:}" --json >"$scratch/all"
	head -n 2000 "$scratch/all" >"$scratch/${task%%:*}.jsonl"
	rm -r "$scratch/run"
done

printf 'task\tthreads\tours\t\tPyTorch\t\tratio\t\n'
for ((round = 0; round < rounds; round++)); do
	for task in tag classify; do
		for threads in 1 2; do
			ours=$("$scratch/train.test" -test.run - -test.bench "Task/task=$task/(train|predict)/threads=$threads\$" -test.benchtime "${seconds}s" | awk '/examples\/s/ { print $(NF - 1) }')
			torch=$("$python" bench/peers/tasks_torch.py "$threads" "$seconds" <"$scratch/$task.jsonl")
			echo $task $threads $ours $torch | awk '{ printf "%s\t%d\t%d\t%d\t%d\t%d\t%.2f\t%.2f\n", $1, $2, $3, $4, $5, $6, $3 / $5, $4 / $6 }'
		done
	done
done
