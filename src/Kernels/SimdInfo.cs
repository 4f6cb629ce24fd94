using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Convoy.Kernels;

/// <summary>Which vector path this process uses. All paths give the same bits, so only speed depends on it.</summary>
public static class SimdInfo
{
    /// <summary>
    /// Set of kernels whose bits are equal (decision 4): part of the handshake and of H_0. It names no instruction set,
    /// because the order of every sum and every formula is the same on all of them. Raise it when any bit changes.
    /// </summary>
    public const string DeviceKind = "cpu/v4";

    /// <summary>Lanes of float32 in one register: 16, 8, 4, or 1 on a machine without fused multiply-add.</summary>
    public static int Lanes { get; } =
        Vector512.IsHardwareAccelerated && Avx512F.IsSupported ? 16
        : Vector256.IsHardwareAccelerated && Fma.IsSupported ? 8
        : Vector128.IsHardwareAccelerated && (AdvSimd.IsSupported || Fma.IsSupported) ? 4
        : 1;

    /// <summary>
    /// Vector instruction sets that the processor has and the runtime uses, narrowest first (DEV-11); of those that no
    /// kernel uses too. Empty on a machine without any.
    /// </summary>
    public static IReadOnlyList<string> InstructionSets { get; } =
    [
        .. new (string Name, bool IsThere)[]
        {
            ("SSE", Sse.IsSupported), ("SSE2", Sse2.IsSupported), ("SSE4.2", Sse42.IsSupported),
            ("AVX", Avx.IsSupported), ("AVX2", Avx2.IsSupported), ("FMA", Fma.IsSupported),
            ("AVX-512F", Avx512F.IsSupported), ("NEON", AdvSimd.IsSupported), ("SVE", HasSve),
        }.Where(set => set.IsThere).Select(set => set.Name),
    ];

    /// <summary>Bytes of the registers that the kernels use.</summary>
    public static int RegisterBytes => Lanes * sizeof(float);

    /// <summary>
    /// Bytes at whose multiples the buffers of programs begin: the widest register there is, and a cache line.
    /// </summary>
    public const int BufferAlignment = 64;

#pragma warning disable SYSLIB5003 // The type is a preview; whether there is SVE is not.
    private static bool HasSve => Sve.IsSupported;
#pragma warning restore SYSLIB5003

    public static string Name { get; } = Lanes switch
    {
        16 => "AVX-512 (16 x float32)",
        8 => "AVX2 + FMA (8 x float32)",
        4 => AdvSimd.IsSupported ? "NEON (4 x float32)" : "128-bit FMA (4 x float32)",
        _ => $"portable ({RuntimeInformation.ProcessArchitecture}, no fused multiply-add in hardware)",
    };
}
