using System.Runtime.CompilerServices;
using Convoy.Kernels.Cpu.Numa;

namespace Convoy.Kernels.Tests;

/// <summary>PAR-03: memory near its thread on machines that are not here, by topologies that are made up.</summary>
public sealed unsafe class NumaTests
{
    private static NumaTopology Machine(params (string File, string Text)[] files) => NumaTopology.OfFiles(
        name => files.FirstOrDefault(f => f.File == name) is { File: not null } found ? found.Text : null);

    [Fact]
    public void Processors_belong_to_the_node_that_lists_them()
    {
        var machine = Machine(
            ("online", "0-2\n"), ("node0/cpulist", "0-3,8-11\n"), ("node1/cpulist", "4-7,12\n"),
            ("node2/cpulist", "\n"));
        Assert.Equal(2, machine.Nodes);     // the third has memory and nobody near it
        Assert.Equal(0, machine.NodeOf(9));
        Assert.Equal(1, machine.NodeOf(12));
        Assert.Null(machine.NodeOf(13));
        Assert.Null(machine.NodeOf(-1));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("none")]
    [InlineData("3-1")]
    [InlineData("0-99999999")]
    [InlineData("0--1")]
    public void What_cannot_be_read_is_a_flat_machine(string? online) =>
        Assert.InRange(NumaTopology.OfFiles(name => name == "online" ? online : null).Nodes, 0, 0);

    private sealed class Fake(NumaTopology topology, int processor, bool refuses = false) : INumaSystem
    {
        public List<(nuint Bytes, int Node)> Placed { get; } = [];

        public List<nint> Freed { get; } = [];

        public NumaTopology Topology => topology;

        public int Processor() => processor;

        public nint Allocate(nuint bytes, nuint alignment, int node)
        {
            if (refuses) return 0;
            Placed.Add((bytes, node));
            return (nint)System.Runtime.InteropServices.NativeMemory.AlignedAlloc(bytes, alignment);
        }

        public bool Free(nint address)
        {
            Freed.Add(address);
            return false;
        }
    }

    private static readonly NumaTopology Two = new([(0, [0, 1]), (1, [2, 3])]);

    [Theory]
    [InlineData(0, 0)]
    [InlineData(3, 1)]
    public void Large_pieces_lie_on_the_node_of_who_asks(int processor, int node)
    {
        var system = new Fake(Two, processor);
        var memory = new NumaMemory(system);
        Use(memory, NumaMemory.PlacedFrom);
        Use(memory, NumaMemory.PlacedFrom - 1);
        Assert.Equal([((nuint)NumaMemory.PlacedFrom, node)], system.Placed);
        Assert.Equal(2, system.Freed.Count);
    }

    [Fact]
    public void Without_nodes_or_where_it_is_refused_memory_is_plain()
    {
        foreach (var system in (Fake[])[
            new(NumaTopology.Flat, 0), new(new NumaTopology([(0, [0, 1])]), 0), new(Two, -1), new(Two, 7),
            new(Two, 2, refuses: true)])
        {
            Use(new NumaMemory(system), NumaMemory.PlacedFrom);
            Assert.Empty(system.Placed);
        }
    }

    [Fact]
    public void The_systems_own_way_gives_memory_that_can_be_used()
    {
        // Of the machine's first node, which every machine has, also where it has no other.
        INumaSystem system = OperatingSystem.IsLinux() ? new LinuxNuma()
            : OperatingSystem.IsWindows() ? new WindowsNuma() : new FlatSystem();
        var memory = new NumaMemory(new Placing(system));
        for (var round = 0; round < 3; round++) Use(memory, NumaMemory.PlacedFrom + 12_345);
        Assert.InRange(system.Processor(), -1, 1 << 16);
    }

    // The real calls, on a machine that is said to have two nodes.
    private sealed class Placing(INumaSystem system) : INumaSystem
    {
        public NumaTopology Topology => Two;

        public int Processor() => 0;

        public nint Allocate(nuint bytes, nuint alignment, int node) => system.Allocate(bytes, alignment, node);

        public bool Free(nint address) => system.Free(address);
    }

    private static void Use(NumaMemory memory, long bytes)
    {
        var address = memory.Allocate((nuint)bytes, 4_096);
        Assert.Equal(0, address % 4_096);
        var span = new Span<byte>((void*)address, (int)bytes);
        span.Fill(7);
        Assert.Equal(7, span[^1]);
        memory.Free(address);
    }

    [Fact]
    public void A_padded_number_shares_its_line_with_nobody()
    {
        var numbers = new PaddedInt[2];
        Assert.Equal(128, Unsafe.SizeOf<PaddedInt>());
        Assert.Equal(64, Unsafe.ByteOffset(ref Unsafe.As<PaddedInt, int>(ref numbers[0]), ref numbers[0].Value));
        Assert.Equal(128, Unsafe.ByteOffset(ref numbers[0].Value, ref numbers[1].Value));
    }
}
