namespace Convoy.Kernels.Cpu.Numa;

/// <summary>What an operating system knows of nodes and does with memory.</summary>
internal interface INumaSystem
{
    NumaTopology Topology { get; }

    /// <summary>Number of the processor that runs the calling thread; -1: the system does not say.</summary>
    int Processor();

    /// <summary>Memory that comes from a node while it has any left, and from the others then; 0: refused.</summary>
    nint Allocate(nuint bytes, nuint alignment, int node);

    /// <summary>Frees what <see cref="Allocate"/> returned; false: it is not from there.</summary>
    bool Free(nint address);
}

/// <summary>No nodes: macOS, and whatever else .NET runs on.</summary>
internal sealed class FlatSystem : INumaSystem
{
    public NumaTopology Topology => NumaTopology.Flat;

    public int Processor() => -1;

    public nint Allocate(nuint bytes, nuint alignment, int node) => 0;

    public bool Free(nint address) => false;
}
