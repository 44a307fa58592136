namespace TinyLlm.Engine;

/// <summary>Sequences without a slot, in their caller's order; the caller with the least service is served first. The loop's thread owns it.</summary>
internal sealed class WaitingQueue
{
    private readonly LinkedList<Sequence> _sequences = new();

    public IEnumerable<Sequence> All => _sequences;

    public int Count => _sequences.Count;

    public void Add(Sequence sequence) => _sequences.AddLast(sequence);

    /// <summary>Removes what <paramref name="condition"/> holds for, and gives it to <paramref name="removed"/>.</summary>
    public void RemoveWhere(Func<Sequence, bool> condition, Action<Sequence> removed)
    {
        for (LinkedListNode<Sequence>? node = _sequences.First, next; node is not null; node = next)
        {
            next = node.Next;
            if (!condition(node.Value)) continue;
            _sequences.Remove(node);
            removed(node.Value);
        }
    }

    /// <summary>
    /// The next to be admitted: of the caller with the least service, the one that came first; of those that <paramref name="mayGo"/> holds for.
    /// </summary>
    public Sequence? Head(Func<Sequence, bool> mayGo)
    {
        Sequence? head = null;
        foreach (Sequence sequence in _sequences)
        {
            if ((head is null || sequence.Share.Service < head.Share.Service) && mayGo(sequence)) head = sequence;
        }
        return head;
    }

    public void Remove(Sequence sequence) => _sequences.Remove(sequence);
}
