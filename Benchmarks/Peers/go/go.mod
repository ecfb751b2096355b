module belay-benchmarks

go 1.19
