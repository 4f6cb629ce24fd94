using System.Diagnostics.CodeAnalysis;

namespace Convoy.Actors.Runtime;

/// <summary>Queue open at both ends on a growing ring. Allocates nothing until it is used.</summary>
internal sealed class Deque<T>
{
    private T[] _items = [];
    private int _head;

    public int Count { get; private set; }

    /// <summary>Valid until the next push or pop.</summary>
    public ref T this[int index] => ref _items[(_head + index) & (_items.Length - 1)];

    public void PushFront(T item)
    {
        GrowWhenFull();
        _head = (_head - 1) & (_items.Length - 1);
        _items[_head] = item;
        Count++;
    }

    public void PushBack(T item)
    {
        GrowWhenFull();
        _items[(_head + Count) & (_items.Length - 1)] = item;
        Count++;
    }

    public bool TryPopFront([MaybeNullWhen(false)] out T item)
    {
        if (Count == 0)
        {
            item = default;
            return false;
        }

        item = _items[_head];
        _items[_head] = default!;
        _head = (_head + 1) & (_items.Length - 1);
        Count--;
        return true;
    }

    private void GrowWhenFull()
    {
        if (Count < _items.Length) return;
        var larger = new T[Math.Max(8, _items.Length * 2)];
        for (var i = 0; i < Count; i++) larger[i] = this[i];
        _items = larger;
        _head = 0;
    }
}
