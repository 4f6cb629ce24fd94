using Convoy.Kernels;
using Convoy.LoadTests.Kernels;

// One JSON line per result. Arguments choose families: gemm segmented conv attention elementwise step (default: all).
Console.WriteLine($$"""{"machine":"{{SimdInfo.Name}}","kind":"{{SimdInfo.DeviceKind}}","threads":1}""");
bool Wanted(string family) => args.Length == 0 || args.Contains(family, StringComparer.Ordinal);
if (Wanted("gemm")) ProductRuns.Gemm();
if (Wanted("segmented")) ProductRuns.Segmented();
if (Wanted("conv")) ModelRuns.Conv();
if (Wanted("attention")) ModelRuns.AttentionRuns();
if (Wanted("elementwise")) ModelRuns.Rows();
if (Wanted("step"))
{
    StepRuns.Mlp();
    StepRuns.Cnn();
    StepRuns.Gpt();
}
