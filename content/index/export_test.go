package index

// BenchChild is what a process of the benchmark does that BENCH_CHILD is set for.
var BenchChild = benchChild
