using Convoy.Kernels.Cpu.Lanes;

namespace Convoy.Kernels.Tests;

/// <summary>Runs a check with every register width: those that the machine lacks are emulated, with the same
/// bits.</summary>
internal interface IWidthCheck
{
    void Run<V>(string width) where V : unmanaged, ILanes<V>;
}

internal static class Widths
{
    public static void Check(IWidthCheck check)
    {
        check.Run<Lane1>("1 lane");
        check.Run<Lane4>("4 lanes");
        check.Run<Lane8>("8 lanes");
        check.Run<Lane16>("16 lanes");
    }
}
