namespace Convoy.Kernels.Cpu.Lanes;

// The bits of 2^(j/8), less j where the exponent's low bits would put it: j is then added with the octaves. Constants,
// so that the compiler lays a register of them where no load crosses a cache line.
internal static class Eighths
{
    public const int E0 = 0x3F800000;
    public const int E1 = 0x3F8B95C2 - (1 << 20);
    public const int E2 = 0x3F9837F0 - (2 << 20);
    public const int E3 = 0x3FA5FED7 - (3 << 20);
    public const int E4 = 0x3FB504F3 - (4 << 20);
    public const int E5 = 0x3FC5672A - (5 << 20);
    public const int E6 = 0x3FD744FD - (6 << 20);
    public const int E7 = 0x3FEAC0C7 - (7 << 20);

    public static ReadOnlySpan<int> All => [E0, E1, E2, E3, E4, E5, E6, E7];
}
