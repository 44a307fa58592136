namespace TinyLlm.Text.Constraints;

/// <summary>A set of an object's named properties, by index. Immutable.</summary>
internal readonly struct KeySet
{
    private readonly ulong[] _words;

    private KeySet(ulong[] words) => _words = words;

    public static KeySet Of(int size, IEnumerable<int> indices)
    {
        ulong[] words = new ulong[(size + 63) / 64];
        foreach (int index in indices) words[index / 64] |= 1ul << index;
        return new KeySet(words);
    }

    public bool Contains(int index) => (_words[index / 64] >> index & 1) != 0;

    public KeySet Without(int index)
    {
        ulong[] words = [.. _words];
        words[index / 64] &= ~(1ul << index);
        return new KeySet(words);
    }

    public bool Overlaps(KeySet other)
    {
        for (int i = 0; i < _words.Length; i++)
        {
            if ((_words[i] & other._words[i]) != 0) return true;
        }
        return false;
    }

    public KeySet And(KeySet other)
    {
        ulong[] words = new ulong[_words.Length];
        for (int i = 0; i < words.Length; i++) words[i] = _words[i] & other._words[i];
        return new KeySet(words);
    }

    public int Count
    {
        get
        {
            int count = 0;
            foreach (ulong word in _words) count += System.Numerics.BitOperations.PopCount(word);
            return count;
        }
    }
}
