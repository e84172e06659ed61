import { describe, expect, it } from 'vitest';
import { normaliseNumber } from '../../../services/processor/calls/numbering-plan.ts';

describe('a dialled number', () => {
  it.each([
    // dialled, country, area, E.164
    ['+49301234567', '49', '30', '+49301234567'],
    ['+49 (30) 123-45.67', '49', '30', '+49301234567'],
    ['0049301234567', '49', '30', '+49301234567'],
    ['0301234567', '49', '30', '+49301234567'],
    ['1234567', '49', '30', '+49301234567'],
    ['1234567', '49', null, '+491234567'],
    ['0117654321', '1', '212', '+7654321'],
    ['12125550100', '1', '212', '+12125550100'],
    ['5550100', '1', '212', '+12125550100'],
    ['81044123456', '7', '495', '+44123456'],
    ['0612345678', '39', null, '+390612345678'],
    ['612345678', '34', null, '+34612345678'],
    ['+49301234567', null, null, '+49301234567'],
  ])('%s from country %s, area %s is %s', (dialled, countryCode, areaCode, expected) => {
    expect(normaliseNumber(dialled, { countryCode, areaCode })).toBe(expected);
  });

  it.each<[string, string | null, string]>([
    ['bob', '49', 'letters'],
    ['*21#', '49', 'a service code'],
    ['1234567', null, 'an unknown country'],
    ['+1234567890123456', '49', 'more than 15 digits'],
    ['+', '49', 'no digits'],
    ['+0123', '49', 'a country code of 0'],
    ['00', '49', 'a prefix without a number'],
    ['', '49', 'nothing'],
  ])('%j from country %s is none: %s', (dialled, countryCode, _reason) => {
    expect(normaliseNumber(dialled, { countryCode, areaCode: '30' })).toBeUndefined();
  });
});
