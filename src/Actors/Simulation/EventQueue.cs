namespace Convoy.Actors.Simulation;

/// <summary>
/// Events that wait, the earliest first, those of one instant in the order in which they were asked for. A heap with
/// four children to a node, whose keys hold no reference: half of a simulation's events pass through it, and a move of
/// a reference tells the collector each time.
/// </summary>
internal sealed class EventQueue
{
    private const int Children = 4;
    private const int SlotBits = 24;
    private const int SlotsMax = 1 << SlotBits;
    private const int RoomMin = 256;

    /// <summary>When, and its number above the slot where the event is.</summary>
    private readonly record struct Key(long At, ulong OrderAndSlot)
    {
        public int Slot => (int)(OrderAndSlot & (SlotsMax - 1));

        public bool IsBefore(in Key other) => At < other.At || (At == other.At && OrderAndSlot < other.OrderAndSlot);
    }

    private readonly record struct Slot(SimulatedProcess? Process, SimulatedEvent? What);

    private Key[] _heap = new Key[RoomMin];
    private Slot[] _slots = new Slot[RoomMin];
    private int[] _free = new int[RoomMin]; // slots that were used and are empty
    private int _freeCount;
    private ulong _order;

    public int Count { get; private set; }

    /// <summary>When the next one happens; there has to be one.</summary>
    public long NextAt => _heap[0].At;

    public void Enqueue(SimulatedProcess? process, SimulatedEvent what, long at)
    {
        if (Count == _heap.Length) Grow();
        var slot = _freeCount > 0 ? _free[--_freeCount] : Count;
        _slots[slot] = new Slot(process, what);
        var key = new Key(at, (_order++ << SlotBits) | (uint)slot);
        var hole = Count++;
        while (hole > 0)
        {
            var parent = (hole - 1) / Children;
            if (!key.IsBefore(_heap[parent])) break;
            _heap[hole] = _heap[parent];
            hole = parent;
        }

        _heap[hole] = key;
    }

    public (SimulatedProcess? Process, SimulatedEvent What) Dequeue()
    {
        var slot = _heap[0].Slot;
        var (process, what) = _slots[slot];
        _slots[slot] = default;
        _free[_freeCount++] = slot;
        var last = _heap[--Count];
        var hole = 0;
        while ((hole * Children) + 1 is var first && first < Count)
        {
            var least = first;
            var end = Math.Min(first + Children, Count);
            for (var child = first + 1; child < end; child++)
                if (_heap[child].IsBefore(_heap[least])) least = child;
            if (!_heap[least].IsBefore(last)) break;
            _heap[hole] = _heap[least];
            hole = least;
        }

        _heap[hole] = last;
        return (process, what!);
    }

    /// <summary>Nothing of what waited is held any more, and no room for it.</summary>
    public void Clear()
    {
        (_heap, _slots, _free) = (new Key[RoomMin], new Slot[RoomMin], new int[RoomMin]);
        (Count, _freeCount) = (0, 0);
    }

    private void Grow()
    {
        Shared.Invariant.Check(Count < SlotsMax, "SW-1 more events wait than a run can have");
        Array.Resize(ref _heap, 2 * Count);
        Array.Resize(ref _slots, 2 * Count);
        Array.Resize(ref _free, 2 * Count);
    }
}
