package kernel

//go:generate go -C ../asm run . -group tile -out ../kernel/tile_amd64.s -stubs ../kernel/tile_stubs_amd64.go -pkg kernel
//go:generate go -C ../asm run . -group gates -out ../kernel/gates_amd64.s -stubs ../kernel/gates_stubs_amd64.go -pkg kernel
//go:generate go -C ../asm run . -group rows -out ../kernel/rows_amd64.s -stubs ../kernel/rows_stubs_amd64.go -pkg kernel
//go:generate go -C ../asm run . -group optim -out ../kernel/optim_amd64.s -stubs ../kernel/optim_stubs_amd64.go -pkg kernel
//go:generate go -C ../asm run . -group peak -out ../kernel/peak_amd64.s -stubs ../kernel/peak_stubs_amd64.go -pkg kernel
//go:generate go -C ../asm run . -group quant -out ../kernel/quant_amd64.s -stubs ../kernel/quant_stubs_amd64.go -pkg kernel
