// The library refuses to load without it, and it has to come first.
import 'reflect-metadata';

export * from '@peculiar/x509';
